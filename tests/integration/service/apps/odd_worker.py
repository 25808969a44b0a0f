"""Initialization callbacks that fail, and some that do more than register handlers."""

import asyncio
import ctypes
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path

from tetherpy.database import Database

not_callable = 42


async def raises(service):
    print("connecting to the moon")
    raise RuntimeError("the moon does not answer")


async def raises_much(service):
    raise RuntimeError("x" * 3_000_000)


async def exits(service):
    os._exit(7)


async def says_exit(service):
    sys.exit("enough")


async def crashes(service):
    ctypes.string_at(0)


async def hangs(service):
    await asyncio.sleep(3600)


async def stops_itself(service):
    service.stop_self()


def plain(service):
    service.register_job_handler("echo", echo)


async def echo(service, payload, db):
    return payload


async def registers_twice(service):
    service.register_job_handler("echo", echo)
    service.register_job_handler("echo", echo)


async def slow(service):
    await asyncio.sleep(0.3)
    service.register_job_handler("echo", echo)


async def with_database(service):
    """Share the service's database, as in the documentation, and leave a trace of each end."""
    folder = Path(service._context.config.database).parent
    db = await service.enter(Database.open(folder / "app.db"))
    await service.enter(traced(folder / "trace"))
    service.set_background_db_connection(db)
    service.register_job_handler("count", count)
    service.register_job_handler("count_exactly", count_exactly)


@asynccontextmanager
async def traced(path):
    path.write_text("entered")
    yield
    path.write_text("left")


async def count(service, payload, db):
    rows = await db.get_all("SELECT count(*) AS n FROM background_service_jobs")
    return rows[0]["n"]


async def count_exactly(service, payload, db):
    async with db.transaction() as tx:
        await tx.execute("CREATE TABLE IF NOT EXISTS effects (job INTEGER)")
        await tx.execute("INSERT INTO effects VALUES (?)", (service.job.id,))
        await service.complete({"stored": True}, transaction=tx)
    if service.job.attempts == 1:
        raise RuntimeError("after the commit")
