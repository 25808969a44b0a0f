"""An app for the tests of the command line."""

import asyncio
from pathlib import Path

from tetherpy.database import Migration

MIGRATIONS = [Migration(1, "orders", "CREATE TABLE orders (id INTEGER PRIMARY KEY)", namespace="shop")]


def initialize(service):
    service.register_job_handler("greet", greet)
    service.register_job_handler("step", step)
    service.register_job_handler("wait", wait)
    service.register_job_handler("fail", fail)
    service.register_job_handler("gate", gate)


def refuse(service):
    raise RuntimeError("the shop is closed")


async def greet(service, payload: dict[str, str], db) -> str:
    service.set_foreground_notification_info(title="Greeting", content=f"hello {payload['name']}")
    return f"Hello {payload['name']}!"


async def step(service, payload: int, db) -> str:
    for number in range(1, payload + 1):
        service.report_progress(number / payload, f"step {number} of {payload}")
        await asyncio.sleep(0.05)
    return "done"


async def wait(service, payload, db) -> None:
    service.report_progress(0.5, "waiting")
    await asyncio.Event().wait()


async def fail(service, payload, db) -> None:
    raise ValueError("no \x1b]0;owned\x07 good")


async def gate(service, payload: str, db) -> str:
    """Continue when a file exists."""
    service.report_progress(0.5, "waiting")
    while not Path(payload).exists():
        await asyncio.sleep(0.01)
    return "passed"
