"""The SQL, one file per statement in ``sql/``, all read when this is imported."""

from __future__ import annotations

from pathlib import Path

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
"""The columns of ``background_service_jobs`` in the order in which statements select them (``{columns}``)."""

_TEXTS = {
    file.stem: file.read_text(encoding="utf-8").replace("{columns}", ", ".join(COLUMNS))
    for file in Path(__file__).with_name("sql").glob("*.sql")
}


def text(name: str) -> str:
    """Return the text of ``sql/<name>.sql``."""
    return _TEXTS[name]


def sql(name: str) -> bytes:
    """Return the statement in ``sql/<name>.sql`` as psycopg takes it."""
    return _TEXTS[name].encode()
