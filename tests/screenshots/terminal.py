"""Draw the terminal app from a real run: ``python -m tests.screenshots.terminal`` writes docs/images/terminal-*.svg."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from tetherpy.jobs import BackgroundJobManager, BackgroundJobStatus, NewJob, open_engine
from tetherpy.service import BackgroundService
from tetherpy.ui import providers_of
from tetherpy.ui.textual import JobsApp

IMAGES = Path(__file__).parents[2] / "docs" / "images"
FONTS = re.compile(r"@font-face\s*\{.*?\}\s*", re.DOTALL)
BOUND_SECONDS = 30.0

REGIONS = ("North", "East", "South", "West")


async def enqueue(manager: BackgroundJobManager) -> None:
    """Enqueue jobs, and wait until the worker has finished."""
    mails = [NewJob(job_key="order mail", payload={"to": f"customer{n}@example.org"}) for n in range(1, 31)]
    reports = [
        NewJob(job_key="sales report", payload={"region": region, "steps": steps}, priority=5)
        for region, steps in zip(REGIONS, (12, 9, 5, 3), strict=True)
    ]
    imports = [NewJob(job_key="product import", payload={"file": "prices.csv"}, max_attempts=2)]
    later = [
        NewJob(job_key="order mail", payload={"to": f"customer{n}@example.org"}, delay=3_600) for n in range(31, 39)
    ]
    await manager.enqueue_many([*mails, *reports, *imports, *later])
    async with asyncio.timeout(BOUND_SECONDS):
        while (counts := await manager.get_counts()).failed < 1 or counts.completed < len(mails) + 1:
            await asyncio.sleep(0.05)


async def draw() -> None:
    """Run the app with a worker, and write its screenshots."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shop.db"
        service = BackgroundService(path, "tests.screenshots.shop:initialize")
        await service.start()
        try:
            async with open_engine(path) as engine:
                await enqueue(BackgroundJobManager(engine))
            app = JobsApp(providers_of(path, lambda: service), title="shop.db")
            async with app.run_test(size=(118, 30)) as pilot:
                await show(pilot, BackgroundJobStatus.RUNNING, rows=3)
                save(app, "terminal-jobs")
                await show(pilot, BackgroundJobStatus.FAILED, rows=1)
                save(app, "terminal-failure")
                await pilot.press("w")
                await until(pilot, lambda: "running" in app.export_screenshot())
                save(app, "terminal-service")
        finally:
            await service.stop(timeout=0)
            await service.aclose()


async def show(pilot: Pilot[None], status: BackgroundJobStatus, rows: int) -> None:
    """Select a status, and wait until its jobs and the details of one are shown."""
    number = list(BackgroundJobStatus).index(status) + 1
    await pilot.press("j", str(number))
    await until(pilot, lambda: pilot.app.query_one("JobTable").row_count == rows)
    await until(pilot, lambda: "ATTEMPTS" in pilot.app.export_screenshot())


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Wait until a text is shown and drawn."""
    async with asyncio.timeout(BOUND_SECONDS):
        while not condition():
            await asyncio.sleep(0.02)
    await pilot.pause(0.3)


def save(app: JobsApp, name: str) -> None:
    """Write a screenshot without the fonts that it would download."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    picture = IMAGES / f"{name}.svg"
    picture.write_text(FONTS.sub("", app.export_screenshot()), encoding="utf-8")
    print(picture.relative_to(Path.cwd()) if picture.is_relative_to(Path.cwd()) else picture)


if __name__ == "__main__":
    asyncio.run(draw())
