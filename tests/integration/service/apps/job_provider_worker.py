"""Handlers for the tests of JobProvider."""

import asyncio
from pathlib import Path

from tetherpy.jobs import DoNotRetry


def initialize(service):
    service.register_job_handler("sum", add)
    service.register_job_handler("gated", gated)
    service.register_job_handler("endless", endless)


async def add(service, payload, db):
    try:
        return {"total": sum(payload["numbers"])}
    except TypeError:
        raise DoNotRetry("cannot add these") from None


async def gated(service, payload, db):
    service.report_progress(0.5)
    while not Path(payload["gate"]).exists():
        await asyncio.sleep(0.01)
    return {"total": 7}


async def endless(service, payload, db):
    service.report_progress(0.5)
    await asyncio.sleep(3600)
