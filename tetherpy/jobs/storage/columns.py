"""The columns of ``background_service_jobs``: those that the engines write, and one per stored option."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

from ..model import OPTIONS, BackgroundJob, NewJob
from ..status import BackgroundJobStatus
from .values import instant, integer, integer_or_zero, optional_instant, optional_number, optional_text, text

_STORED = tuple(option for option in OPTIONS if option.stored)
_STATUSES = {status.value: status for status in BackgroundJobStatus}

OPTION_COLUMNS = tuple(option.name for option in _STORED)
"""The columns of the options, in the order of ``option_values``."""

READERS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "id": ("id", integer),
    "job_key": ("job_key", text),
    "payload": ("payload_json", optional_text),
    "status": ("status", _STATUSES.__getitem__),
    "attempts": ("attempts", integer_or_zero),
    "last_attempt_at": ("last_attempt_at", optional_instant),
    "last_error": ("last_error", optional_text),
    "created_at": ("created_at", instant),
    "updated_at": ("updated_at", instant),
    "run_at": ("run_at", instant),
    "claimed_by": ("claimed_by", optional_text),
    "lease_expires_at": ("lease_expires_at", optional_instant),
    "progress": ("progress", optional_number),
    "progress_message": ("progress_message", optional_text),
    "result": ("result_json", optional_text),
    "finished_at": ("finished_at", optional_instant),
    "cancel_requested_at": ("cancel_requested_at", optional_instant),
    **{option.name: (option.field, option.read) for option in _STORED},
}
"""The field of ``BackgroundJob`` of each column, and how to read it."""

COLUMNS = tuple(READERS)
"""The columns in the order in which statements select them (``{columns}``)."""


_values = attrgetter(*OPTION_COLUMNS)
_WRITERS = tuple((place, option.write) for place, option in enumerate(_STORED) if option.write is not None)


def option_values(job: NewJob[Any]) -> list[Any]:
    """Return the values of ``OPTION_COLUMNS`` of a new job."""
    values = list(_values(job))
    for place, write in _WRITERS:
        if values[place] is not None:
            values[place] = write(values[place])
    return values


def stored_options(job: NewJob[Any]) -> dict[str, Any]:
    """Return the options of a new job as their columns hold them; JSON can hold the values too."""
    return dict(zip(OPTION_COLUMNS, option_values(job), strict=True))


def row_of(job: BackgroundJob) -> dict[str, Any]:
    """Return the values of ``COLUMNS`` of a stored job by column; instants and the status as they are."""
    row = {column: getattr(job, field) for column, (field, _) in READERS.items()}
    for option in _STORED:
        if option.write is not None and option.field == option.name and row[option.name] is not None:
            row[option.name] = option.write(row[option.name])
    return row
