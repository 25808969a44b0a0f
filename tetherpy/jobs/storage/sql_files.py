"""The SQL of an engine: one file per statement in the ``sql`` folder next to its modules."""

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
    "retry",
    "meta",
)
"""The columns of ``background_service_jobs`` in the order in which statements select them (``{columns}``)."""


def read_statements(module: str, fragments: Mapping[str, str]) -> Mapping[str, str]:
    """Return the statements next to a module's file by name, all read at once.

    A worker needs no descriptor for them later, when there may be none left, and no file that an upgrade of the package
    may have changed. ``fragments`` replace ``{name}`` in every statement, except in the schema: a released migration
    must not change when a rule does.
    """
    texts = {file.stem: file.read_text(encoding="utf-8") for file in Path(module).with_name("sql").glob("*.sql")}
    for name, fragment in {"columns": ", ".join(COLUMNS), **fragments}.items():
        texts = {
            stem: text if stem.startswith("schema") else text.replace(f"{{{name}}}", fragment)
            for stem, text in texts.items()
        }
    return texts
