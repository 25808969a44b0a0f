"""The worker of the crash campaign: short jobs that say which attempt did them."""

import asyncio
import random
from datetime import timedelta

from tetherpy.jobs import Backoff


async def initialize(service):
    await asyncio.sleep(random.random() * 0.05)
    service.register_job_handler("work", work, retry=Backoff(timedelta(0)))


async def work(service, payload, db):
    await asyncio.sleep(random.random() * 0.05)
    return service.job.attempts
