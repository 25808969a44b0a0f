"""A worker with long jobs that can be killed, and that leave traces of each attempt."""

import asyncio
import os
import time
from pathlib import Path

from tetherpy.database import Database
from tetherpy.jobs import Backoff


async def initialize(service):
    service.register_job_handler("first_time_long", first_time_long, retry=Backoff(initial=0))
    service.register_job_handler("die", die)
    service.register_job_handler("echo", echo)


async def impatient(service):
    """Wait for other writers for a tenth of a second only."""
    path = service._context.config.database
    service.set_background_db_connection(await service.enter(Database.open(path, busy_timeout=0.1)))
    await initialize(service)


async def first_time_long(service, payload: str, db):
    """Record time and process of each attempt; only the first one takes long."""
    trace = Path(payload) / f"{service.job.id}-{service.job.attempts}"
    trace.write_text(f"{os.getpid()} {time.time()}")
    if service.job.attempts == 1:
        await asyncio.sleep(60)
    return service.job.attempts


async def die(service, payload, db):
    os._exit(9)


async def echo(service, payload, db):
    return payload
