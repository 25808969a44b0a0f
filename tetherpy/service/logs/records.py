"""The job fields of log records, and their capture in the log of the attempt."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Generator
from contextlib import contextmanager

from .attempt_log import AttemptLog, current_attempt

FIELDS = ("job_id", "job_key", "attempt")
"""The attributes that each record of a handler has, unless the caller gives them with ``extra``."""

_in_record = threading.local()
_original_handle = logging.Logger.handle
_original_call_handlers = logging.Logger.callHandlers
_users: set[object] = set()


def is_handling_record() -> bool:
    """Tell whether this thread calls the handlers of a log record, so that its output is that of a handler."""
    return getattr(_in_record, "depth", 0) > 0


@contextmanager
def job_records() -> Generator[None]:
    """Give the records of jobs their fields, and capture them, until the end of the block.

    All loggers, present and later, are included, also those that do not propagate, and whatever handlers, filters and
    record factory the app sets. A record factory could not do this: fields that it sets make ``extra`` with the same
    names an error.
    """
    user = object()
    _users.add(user)
    # As Sentry's SDK does: there is no public hook for all loggers.
    logging.Logger.handle = _handle  # type: ignore[method-assign]
    logging.Logger.callHandlers = _call_handlers  # type: ignore[method-assign]
    try:
        yield
    finally:
        _users.discard(user)
        if not _users:
            logging.Logger.handle = _original_handle  # type: ignore[method-assign]
            logging.Logger.callHandlers = _original_call_handlers  # type: ignore[method-assign]


def _handle(self: logging.Logger, record: logging.LogRecord) -> None:
    attempt = current_attempt.get()
    if attempt is not None:
        for name, value in attempt.fields.items():
            record.__dict__.setdefault(name, value)
    _original_handle(self, record)


def _call_handlers(self: logging.Logger, record: logging.LogRecord) -> None:
    # After the filters of the logger, so that what they remove or redact is not stored.
    attempt = current_attempt.get()
    if attempt is not None and attempt.captures:
        _capture(attempt, record)
    depth = getattr(_in_record, "depth", 0)
    _in_record.depth = depth + 1
    try:
        _original_call_handlers(self, record)
    finally:
        _in_record.depth = depth


def _capture(attempt: AttemptLog, record: logging.LogRecord) -> None:
    text = message_of(record)
    if (raised := exception_of(record)) is not None:
        text = f"{text}\n{raised}"
    attempt.add(record.created, record.levelname, record.name, text)


def message_of(record: logging.LogRecord) -> str:
    """Return the message; of one whose arguments do not fit, its template and the error."""
    try:
        return record.getMessage()
    except Exception as error:
        return f"{str(record.msg)[:1000] if isinstance(record.msg, str) else '?'} ({type(error).__name__})"


def exception_of(record: logging.LogRecord) -> str | None:
    """Return the traceback and the stack of a record; None without any."""
    parts: list[str] = []
    if record.exc_info:
        try:
            parts.append("".join(traceback.format_exception(*record.exc_info)).rstrip("\n"))
        except Exception as error:
            parts.append(f"its traceback raised {type(error).__name__}")
    elif record.exc_text:
        parts.append(record.exc_text)
    if record.stack_info:
        parts.append(record.stack_info)
    return "\n".join(parts) or None
