"""The workers of the campaign: handlers that leave traces, and mines that go off under them."""

import asyncio
import os
import time
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random

from tetherpy.database import Database
from tetherpy.jobs import Backoff, DoNotRetry, Snooze

from . import script
from .mines import Mine, kill_self
from .schema import open_database
from .traces import BY_ITS_JOB, STATE_VARIABLE, Traces

CHANCES = {
    "none": 50,
    "in the callback": 5,
    "in a commit": 20,
    "between handler and commit": 15,
    "before the handler's commit": 10,
}


async def initialize(service):
    traces = Traces.inherited()
    birth = traces.note("workers", machine=Path(os.environ[STATE_VARIABLE]).name)
    mine = Mine.choose(traces, Random(f"{traces.seed} worker {birth}"), CHANCES)
    mine.in_callback()
    db = await service.enter(open_database(traces))
    service.set_background_db_connection(db)
    if isinstance(db, Database):
        await db.run(mine.in_commit)
    handlers = {
        "exactly_once": exactly_once,
        "at_least_once": at_least_once,
        "slow": slow,
        "fails_first": fails_first,
        "snoozes": snoozes,
        "fails": fails,
        "hopeless": hopeless,
        "poison": poison,
    }
    soon = Backoff(initial=timedelta(milliseconds=20))
    for key, handler in handlers.items():
        service.register_job_handler(key, partial(handler, traces, mine), retry=soon)
    service.register_job_handler("in_thread", partial(in_thread, traces), retry=soon)
    assert {*handlers, "in_thread"} == set(script.BY_KEY)


def begin(traces, service):
    job = service.job
    traces.note("starts", job=job.id, attempt=job.attempts, worker=job.claimed_by)
    return {"attempt": job.attempts, "worker": job.claimed_by}


async def write_effect(tx, job, exactly_once):
    await tx.execute(
        "INSERT INTO effects (job_id, attempt, worker, exactly_once) VALUES (?, ?, ?, ?)",
        (job.id, job.attempts, job.claimed_by, int(exactly_once)),
    )
    # Some commits are large, so that there is time to be killed within them.
    await tx.execute(
        "INSERT INTO ballast VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET data = excluded.data",
        (job.id % 20, os.urandom(job.id * 7919 % 65_536)),
    )


async def exactly_once(traces, mine, service, payload, db):
    me = begin(traces, service)
    await asyncio.sleep(service.job.id % 7 * 0.01)
    async with db.transaction() as tx:
        await write_effect(tx, service.job, exactly_once=True)
        await service.complete(me, transaction=tx)
        mine.before_commit()
    mine.after_handler()


async def at_least_once(traces, mine, service, payload, db):
    me = begin(traces, service)
    await asyncio.sleep(service.job.id % 5 * 0.02)
    async with db.transaction() as tx:
        await write_effect(tx, service.job, exactly_once=False)
    mine.after_handler()
    return me


def fork_a_copy():
    """Leave a forked process with all descriptors of this one, which outlives some workers."""
    if not os.fork():
        time.sleep(0.3)
        os._exit(0)


async def slow(traces, mine, service, payload, db):
    me = begin(traces, service)
    if service.job.id % 3 == 0:
        fork_a_copy()
    for step in range(8):
        service.report_progress(step / 8, f"step {step}")
        await asyncio.sleep(0.05)
    mine.after_handler()
    return me


def in_thread(traces, service, payload, db):
    me = begin(traces, service)
    time.sleep(0.05)
    return me


async def fails_first(traces, mine, service, payload, db):
    me = begin(traces, service)
    if service.job.attempts == 1:
        raise ValueError("the first attempt fails, as scripted")
    mine.after_handler()
    return me


async def snoozes(traces, mine, service, payload, db):
    me = begin(traces, service)
    row = await db.get(
        "SELECT count(*) AS n FROM background_service_job_attempts WHERE job_id = ? AND outcome = 'snoozed'",
        (service.job.id,),
    )
    if not row["n"]:
        raise Snooze(0.05)
    mine.after_handler()
    return me


async def fails(traces, mine, service, payload, db):
    begin(traces, service)
    mine.after_handler()
    raise ValueError("every attempt fails, as scripted")


async def hopeless(traces, mine, service, payload, db):
    begin(traces, service)
    raise DoNotRetry("no attempt could succeed, as scripted")


async def poison(traces, mine, service, payload, db):
    begin(traces, service)
    kill_self(traces, BY_ITS_JOB)
    # The kills have ended, but the same job still kills this process.
    os._exit(1)
