"""The worker of a small shop: jobs that fail, report progress, and wait for the test."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Literal, TypedDict

import attrs

from tetherpy.database import SyncDatabase
from tetherpy.jobs import DoNotRetry
from tetherpy.service import ServiceInstance, SyncServiceInstance


@attrs.frozen
class Import:
    """The payload of an import."""

    source: str
    rows: int = 100
    format: Literal["csv", "json"] = "csv"
    dry_run: bool = False
    note: str | None = None


class Gate(TypedDict):
    """A folder with files that tell a job how far it may continue."""

    folder: str


class OutOfStockError(Exception):
    """An article is not available."""


async def initialize(service: ServiceInstance) -> None:
    service.set_as_foreground_service()
    service.register_job_handler("import_catalogue", import_catalogue)
    service.register_job_handler("gated", gated)
    service.register_job_handler("charge_card", charge_card)
    service.register_job_handler("resize_image", resize_image)
    service.register_job_handler("anything", anything)
    service.register_periodic_job("nightly report", cron="0 3 * * *", time_zone="Europe/Berlin", job_key="anything")
    service.register_periodic_job("cleanup", every=timedelta(hours=1), job_key="anything", payload={"days": 30})


async def import_catalogue(service: ServiceInstance, payload: Import, db: object) -> dict[str, object]:
    """Import the articles of a supplier."""
    service.set_foreground_notification_info(title="Importing", content=f"{payload.rows} rows of {payload.source}")
    service.report_progress(0.5, "half of the rows")
    return {"rows": payload.rows, "dry_run": payload.dry_run, "note": payload.note}


async def gated(service: ServiceInstance, payload: Gate, db: object) -> str:
    """Continue as far as the files in the folder allow."""
    folder = Path(payload["folder"])
    for percent in (10, 40, 70):
        service.report_progress(percent / 100, f"at {percent} percent")
        while not (folder / str(percent)).exists():
            await asyncio.sleep(0.01)
    return "through"


async def charge_card(service: ServiceInstance, payload: dict[str, str] | None, db: object) -> None:
    """Fail with a typical error."""
    try:
        take_from_stock((payload or {}).get("article", "a lamp"))
    except OutOfStockError as error:
        raise DoNotRetry(f"refused: {error}") from error


def take_from_stock(article: str) -> None:
    raise OutOfStockError(f"{article} is out of stock")


def resize_image(service: SyncServiceInstance, payload: dict[str, float], db: SyncDatabase) -> dict[str, int]:
    import time

    seconds = payload.get("seconds", 0.0)
    for step in range(20):
        if service.cancelled:
            break
        service.report_progress(step / 20, f"tile {step} of 20")
        time.sleep(seconds / 20)
    return {"width": 800}


async def anything(service: ServiceInstance, payload: object, db: object) -> object:
    return payload
