"""Handlers of the tests on PostgreSQL."""

import asyncio
import os


async def exactly_once(service, payload, db):
    async with db.transaction() as tx:
        await tx.execute("INSERT INTO effects VALUES (?, ?)", (service.job.id, os.getpid()))
        await service.complete(payload, transaction=tx)


async def until_cancelled(service, payload, db):
    for step in range(1000):
        service.report_progress(step / 1000, f"step {step}")
        await asyncio.sleep(0.02)


def initialize(service):
    service.register_job_handler("exactly_once", exactly_once)
    service.register_job_handler("until_cancelled", until_cancelled)
    service.register_job_handler("whose", lambda service, payload, db: os.getpid())
