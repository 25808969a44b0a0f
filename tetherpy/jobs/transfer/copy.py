"""The copy: range by range, each all or nothing, and in the end both sides are compared."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Literal

import attrs

from tetherpy.database import Database, sqlite_path

from ..errors import CopyDiffersError
from ..leases import DEFAULT_LEASE
from ..sqlite import JOB_MIGRATIONS
from ..storage.timestamps import WallClock, utc_now
from .sqlite_source import Source

if TYPE_CHECKING:
    from .postgres_target import Target

JOBS_AT_ONCE = 200


@attrs.frozen
class CopyProgress:
    """The number of the source's jobs that were compared, and of those that were written."""

    done: int
    total: int
    written: int


@attrs.frozen
class CopyReport:
    """The numbers that both sides have in common after a copy; ``written`` jobs were new.

    ``tables`` and ``left`` are the tables of the app that were copied, and those that were not, with their rows.
    """

    jobs: int
    attempts: int
    written: int
    digest: str
    tables: Mapping[str, int] = attrs.field(kw_only=True, factory=dict[str, int])
    left: Mapping[str, int] = attrs.field(kw_only=True, factory=dict[str, int])


async def copy_jobs(
    source: str | os.PathLike[str],
    target: str,
    *,
    tables: Collection[str] | Literal["all"] = (),
    on_progress: Callable[[CopyProgress], None] = lambda _: None,
    clock: WallClock = utc_now,
) -> CopyReport:
    """Copy all jobs of an SQLite file, their attempts and ticks to PostgreSQL, with their ids.

    ``tables`` names tables of the app that are copied too, all of them in one transaction. One that the server does not
    have is created with its columns, NOT NULL and its primary key; dates stay the text that SQLite stores.

    Stop the app first: no process may use either side during the copy. At the end it compares both sides while the
    source is locked. It is resumable: run it again after an interruption. After a complete copy it only compares.
    RUNNING jobs, whose worker died, are copied unchanged and rescued when their lease expires. Raises
    ``CopyRefusedError`` if workers of either side run or the target has other jobs, ``CopyDiffersError`` if both sides
    differ at the end, ``EngineLimitError`` for a job that does not fit, and the errors of opening either side.
    """
    from tetherpy.database import PostgresDatabase  # the extra `postgres`, which importing this module does not need

    from ..postgres import PostgresJobEngine
    from .app_tables import app_tables, chosen, copy_table
    from .postgres_target import Target

    name = _name_of(source)
    async with (
        Database.open(source, migrations=JOB_MIGRATIONS) as file,
        PostgresDatabase.open(target) as server,
    ):
        await PostgresJobEngine(server).prepare()
        origin, copy = Source(file), Target(server)
        await origin.refuse_served(clock(), 2 * DEFAULT_LEASE)
        if tables != "all":
            chosen(await file.read(app_tables), tables)
        finished = await copy.begin(name, clock(), 2 * DEFAULT_LEASE)
        copied = await _copy(origin, copy, on_progress=on_progress, only_compare=finished)
        # With the lock of its writers the source stays as it is until the copy is noted as finished.
        async with file.transaction() as source_transaction:
            report = await _copy(origin, copy, only_compare=True)
            of_app = await source_transaction.run(app_tables)
            wanted = of_app if tables == "all" else chosen(of_app, tables)
            async with server.transaction() as target_transaction:
                for table in wanted:
                    await copy_table(source_transaction, target_transaction, table)
                await copy.finish(name, await origin.last_id(), await origin.ticks())
        return attrs.evolve(
            report,
            written=copied.written,
            tables={table.name: table.rows for table in wanted},
            left={table.name: table.rows for table in of_app if table not in wanted},
        )


def _name_of(source: str | os.PathLike[str]) -> str:
    return str(sqlite_path(source))


async def _copy(
    origin: Source,
    copy: Target,
    *,
    on_progress: Callable[[CopyProgress], None] = lambda _: None,
    only_compare: bool,
) -> CopyReport:
    total = await origin.count()
    done = written = attempts = last_id = 0
    digest = hashlib.sha256()
    async for batch in origin.batches(JOBS_AT_ONCE):
        first_id = last_id + 1
        if (await copy.read(first_id, batch.last_id)).digest != batch.digest:
            if only_compare:
                raise CopyDiffersError(first_id, batch.last_id)
            await copy.replace(first_id, batch)
            written += len(batch.jobs)
            if (await copy.read(first_id, batch.last_id)).digest != batch.digest:
                raise CopyDiffersError(first_id, batch.last_id)
        last_id = batch.last_id
        done += len(batch.jobs)
        attempts += len(batch.attempts)
        digest.update(batch.digest.encode())
        on_progress(CopyProgress(done, total, written))
    if await copy.count(last_id) != done:
        raise CopyDiffersError(1, last_id)
    return CopyReport(done, attempts, written, digest.hexdigest())
