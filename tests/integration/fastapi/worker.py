"""The worker of the web app in the tests."""

import asyncio


async def nap(service, payload: float, db):
    await asyncio.sleep(payload)


def initialize(service):
    service.register_job_handler("nap", nap)
