"""A worker with jobs for the tests of the screens."""

import asyncio
from pathlib import Path

from tetherpy.database import Database
from tetherpy.jobs import background_job
from tetherpy.service import ServiceInstance

HOSTILE = "[red]boom[/] \x1b[31m\x1b]0;title\x07 \u202e <b>"


def initialize(service: ServiceInstance) -> None:
    service.set_as_foreground_service()
    service.register_job_handler("steps", steps)
    service.register_job_handler("broken", broken)
    service.register_jobs(declared)


@background_job("declared", queue="mail", max_attempts=7, timeout=60, version="2", meta={"tenant": "7"}, delay=1_000)
async def declared(service: ServiceInstance, payload: str, db: Database) -> None:
    """Not run by the tests."""


async def steps(service: ServiceInstance, payload: str, db: Database) -> str:
    """Take one step for each file that the test creates: ``<payload>.1``, ``.2``, ``.3``."""
    for step in range(1, 4):
        while not Path(f"{payload}.{step}").exists():
            await asyncio.sleep(0.005)
        service.set_foreground_notification_info(title=f"At step {step}", content=HOSTILE)
        service.report_progress(step / 4, f"step {step} {HOSTILE}")
    return "walked"


async def broken(service: ServiceInstance, payload: str | None, db: Database) -> None:
    if payload is None or not Path(payload).exists():
        print("about to fail")
        raise ValueError(HOSTILE)
