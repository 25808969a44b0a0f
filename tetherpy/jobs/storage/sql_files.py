"""The SQL of an engine: one file per statement in the ``sql`` folder beside its modules."""

from __future__ import annotations

from collections.abc import Mapping
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


def read_statements(module: str) -> Mapping[str, str]:
    """Return the statements beside a module's file by name, all read at once.

    A worker needs no descriptor for them later, when there may be none left, and no file that an upgrade
    of the package may have changed under it.
    """
    return {
        file.stem: file.read_text(encoding="utf-8").replace("{columns}", ", ".join(COLUMNS))
        for file in Path(module).with_name("sql").glob("*.sql")
    }
