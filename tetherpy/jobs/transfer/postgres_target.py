"""The PostgreSQL side: ranges are compared, and replaced where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs

from tetherpy.database import PostgresDatabase, PostgresTransaction

from ..errors import CopyRefusedError
from ..postgres.encoding import encode
from ..postgres.statements import QUEUE_STATUS, text
from ..postgres.store import POSTGRES_CAPABILITIES
from ..storage.columns import COLUMNS, row_of
from ..storage.row_decoding import to_attempt, to_job
from .batch import ATTEMPTS, Batch


@attrs.frozen
class Target:
    """Hold the copy in the job tables of an open database."""

    db: PostgresDatabase

    async def begin(self, source: str, now: datetime, alive_within: timedelta) -> bool:
        """Note that a copy is under way; tell whether one of this source was finished before.

        Raises ``CopyRefusedError`` while workers use the target, or if it has jobs that no copy brought.
        """
        row = await self.db.get(
            "SELECT count(*) AS n FROM background_service_workers WHERE heartbeat_at > ?", (now - alive_within,)
        )
        if row["n"]:
            verb = "worker still uses" if row["n"] == 1 else "workers still use"
            raise CopyRefusedError(f"{row['n']} {verb} the target", "Stop its services on every machine first.")
        known = await self.db.get_optional("SELECT finished_at FROM tetherpy_copies WHERE source = ?", (source,))
        if known is not None:
            return known["finished_at"] is not None
        row = await self.db.get("SELECT EXISTS (SELECT FROM procrastinate_jobs) AS used")
        if row["used"]:
            raise CopyRefusedError("the target has jobs of its own", "Copy into an empty database or schema.")
        await self.db.execute("INSERT INTO tetherpy_copies (source) VALUES (?)", (source,))
        return False

    async def read(self, first_id: int, last_id: int) -> Batch:
        """Return the jobs of a range in the target."""
        jobs = await self.db.get_all(
            f"SELECT {', '.join(COLUMNS)} FROM background_service_jobs WHERE id BETWEEN ? AND ? ORDER BY id",  # noqa: S608
            (first_id, last_id),
        )
        attempts = await self.db.get_all(ATTEMPTS, (first_id, last_id))
        return Batch(tuple(map(to_job, jobs)), tuple(to_attempt(row[0], tuple(row)[1:]) for row in attempts))

    async def replace(self, first_id: int, batch: Batch) -> None:
        """Replace the range from ``first_id`` to the batch's end by the batch, in one transaction.

        Raises ``EngineLimitError`` for a job that does not fit.
        """
        for job in batch.jobs:
            POSTGRES_CAPABILITIES.check(job)
        async with self.db.transaction() as transaction:
            await transaction.execute(
                "DELETE FROM procrastinate_jobs WHERE id BETWEEN ? AND ?", (first_id, batch.last_id)
            )
            await _insert(
                transaction, "copy_jobs", [{**row_of(job), "status": QUEUE_STATUS[job.status]} for job in batch.jobs]
            )
            await _insert(transaction, "copy_attempts", [attrs.asdict(attempt) for attempt in batch.attempts])

    async def count(self, last_id: int) -> int:
        """Count the jobs up to an id."""
        row = await self.db.get("SELECT count(*) AS n FROM background_service_jobs WHERE id <= ?", (last_id,))
        count: int = row["n"]
        return count

    async def finish(self, source: str, last_id: int, ticks: Sequence[tuple[str, int, int]]) -> None:
        """Copy the ticks, continue ids after the source's last one, and record the end of the copy."""
        async with self.db.transaction() as transaction:
            rows = [{"name": name, "tick": tick, "job_id": job_id} for name, tick, job_id in ticks]
            await _insert(transaction, "copy_ticks", rows)
            await transaction.execute(
                "SELECT setval('procrastinate_jobs_id_seq', greatest(?, (SELECT last_value FROM "
                "procrastinate_jobs_id_seq)), true) WHERE ? > 0",
                (last_id, last_id),
            )
            await transaction.execute(
                "UPDATE tetherpy_copies SET finished_at = coalesce(finished_at, now()) WHERE source = ?", (source,)
            )


async def _insert(transaction: PostgresTransaction, statement: str, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        await transaction.execute(text(statement), {"rows": encode(rows)})
