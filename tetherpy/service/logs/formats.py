"""The two formats of a worker's log: lines of text, and JSON."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import msgspec

from tetherpy.safe_text import one_line, plain

from ..protocol.settings import LogFormat
from .records import FIELDS, exception_of, message_of

MAX_CHARACTERS = 100_000
"""Maximum characters of a message or a traceback; the middle of a longer one is left out."""

_STANDARD = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", *FIELDS}


class TextFormatter(logging.Formatter):
    """Write a record on one line; the other lines of its message and its traceback are indented.

    Control characters are escaped, and no message can imitate another record.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return ``time level logger [job id key attempt] message``."""
        parts = [message_of(record), exception_of(record)]
        text = "\n".join(plain(part, MAX_CHARACTERS) for part in parts if part is not None)
        return f"{_time(record)} {record.levelname} {record.name}{_job(record)}: {text}".replace("\n", "\n    ")


class JsonFormatter(logging.Formatter):
    """Write a record as one JSON object, with what the caller gave as ``extra``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object on one line."""
        document: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": plain(message_of(record), MAX_CHARACTERS),
        }
        given = vars(record)
        document |= {name: _encodable(given[name]) for name in FIELDS if name in given}
        added = {name: value for name, value in given.items() if name not in _STANDARD and name not in document}
        document |= {name: _encodable(value) for name, value in added.items()}
        if (raised := exception_of(record)) is not None:
            document["exception"] = plain(raised, MAX_CHARACTERS)
        return msgspec.json.encode(document).decode()


def formatter_of(log_format: LogFormat) -> logging.Formatter:
    """Return the formatter of a format."""
    return JsonFormatter() if log_format == "json" else TextFormatter()


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _job(record: logging.LogRecord) -> str:
    given = vars(record)
    if "outcome" in given or not all(name in given for name in FIELDS):
        return ""
    return f" [job {given['job_id']} {one_line(str(given['job_key']))} attempt {given['attempt']}]"


def _encodable(value: object) -> Any:
    if isinstance(value, str):
        return plain(value, MAX_CHARACTERS)
    try:
        msgspec.json.encode(value)
    except Exception:
        return plain(_text_of(value), MAX_CHARACTERS)
    return value


def _text_of(value: object) -> str:
    try:
        return repr(value)
    except Exception as error:
        return f"<{type(value).__name__}: its repr raised {type(error).__name__}>"
