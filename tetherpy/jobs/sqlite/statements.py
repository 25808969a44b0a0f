"""The SQL, one file per statement in ``sql/``, read once."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

COLUMNS = (
    "id",
    "job_key",
    "payload",
    "status",
    "attempts",
    "max_attempts",
    "last_attempt_at",
    "last_error",
    "priority",
    "created_at",
    "updated_at",
    "queue",
    "run_at",
    "timeout",
    "unique_key",
    "claimed_by",
    "lease_expires_at",
    "progress",
    "progress_message",
    "result",
    "finished_at",
    "cancel_requested_at",
)
"""The columns of a job in the order in which statements select them (``{columns}`` in the files)."""


@cache
def sql(name: str) -> str:
    """Return the text of the statement in ``sql/<name>.sql``."""
    text = (files(__name__.rpartition(".")[0]) / "sql" / f"{name}.sql").read_text(encoding="utf-8")
    return text.replace("{columns}", ", ".join(COLUMNS))
