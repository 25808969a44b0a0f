"""The SQLite side: read in ranges of ids, within one snapshot per range."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import attrs

from tetherpy.database import Database

from ..errors import CopyRefusedError
from ..sqlite.statements import fetch
from ..sqlite.workers import registered
from ..storage.columns import COLUMNS
from ..storage.row_decoding import to_attempt, to_job
from ..storage.timestamps import from_text
from .batch import ATTEMPTS, Batch, portable_attempt, portable_job

_JOBS = f"SELECT {', '.join(COLUMNS)} FROM background_service_jobs WHERE id > ? ORDER BY id LIMIT ?"  # noqa: S608


@attrs.frozen
class Source:
    """Read jobs, attempts and ticks of a file that no worker serves."""

    db: Database

    async def refuse_served(self, now: datetime, alive_within: timedelta) -> None:
        """Raise ``CopyRefusedError`` while workers of the file live."""
        workers = await self.db.read(registered)
        alive = [worker for worker in workers if worker.heartbeat_at > now - alive_within]
        if alive:
            names = ", ".join(f"{worker.id} (pid {worker.pid})" for worker in alive[:5])
            verb = "worker still uses" if len(alive) == 1 else "workers still use"
            raise CopyRefusedError(f"{len(alive)} {verb} the source: {names}", "Stop its service first.")

    async def count(self) -> int:
        """Count the jobs."""
        row = await self.db.get("SELECT count(*) FROM background_service_jobs")
        count: int = row[0]
        return count

    async def batches(self, size: int) -> AsyncIterator[Batch]:
        """Yield all jobs by id, ``size`` at a time; a row that cannot be read is an ``UnreadableJobError``."""
        after = 0
        while (batch := await self.db.read(_read, after, size)).jobs:
            yield batch
            after = batch.last_id

    async def last_id(self) -> int:
        """Return the largest id that was ever given, deleted jobs included."""
        row = await self.db.get_optional("SELECT seq FROM sqlite_sequence WHERE name = 'background_service_jobs'")
        return 0 if row is None else int(row["seq"])

    async def ticks(self) -> list[tuple[str, int, int]]:
        """Return name, instant (microseconds since 1970) and job of the ticks that are remembered."""
        rows = await self.db.get_all("SELECT name, tick, job_id FROM background_service_ticks ORDER BY name, tick")
        return [(row["name"], round(from_text(row["tick"]).timestamp() * 1e6), row["job_id"]) for row in rows]


def _read(connection: sqlite3.Connection, after: int, size: int) -> Batch:
    jobs = tuple(portable_job(to_job(row)) for row in fetch(connection, _JOBS, (after, size)))
    if not jobs:
        return Batch((), ())
    attempts = [to_attempt(row[0], row[1:]) for row in fetch(connection, ATTEMPTS, (jobs[0].id, jobs[-1].id))]
    known = {job.id for job in jobs}
    return Batch(jobs, tuple(portable_attempt(attempt) for attempt in attempts if attempt.job_id in known))
