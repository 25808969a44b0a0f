"""``python -m tests.browser.screenshots`` writes the screenshots in docs/images/ from a real run."""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

from playwright.async_api import async_playwright

from tests.browser import chromium
from tests.browser.shop import APPS, Shop, open_shop
from tetherpy.jobs import NewJob

IMAGES = Path(__file__).parents[2] / "docs" / "images"
RUN_SECONDS = 60
SUPPLIERS = ("acme", "globex", "initech", "umbrella")


async def draw() -> None:
    """Run a shop for a minute, and take screenshots of its dashboard."""
    with tempfile.TemporaryDirectory(prefix="shop-") as folder:
        # Tracebacks show paths, which must not be those of this project.
        async with open_shop(Path(folder), shutil.copytree(APPS, Path(folder) / "shop")) as shop:
            await shop.service.start()
            failed = await work(shop, random.Random(7))
            gates = Path(folder) / "gates"
            gates.mkdir()
            (gates / "10").touch()
            (gates / "40").touch()
            await shop.manager.enqueue_many([NewJob(job_key="gated", payload={"folder": str(gates)}) for _ in range(2)])
            await shop.manager.enqueue_many(
                [NewJob(job_key="charge_card", delay=3600, queue="cards") for _ in range(4)]
            )
            await shop.serve()
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=chromium.find(), args=chromium.FLAGS)
                await photograph(browser, shop, "dashboard-light", "", "light", 1440, 900)
                await photograph(browser, shop, "dashboard-dark", "", "dark", 1440, 900)
                await photograph(browser, shop, "dashboard-job", f"jobs/{failed}", "light", 1280, 760)
                await photograph(browser, shop, "dashboard-service", "service", "dark", 1280, 640)
                await photograph(browser, shop, "dashboard-enqueue", "enqueue?key=import_catalogue", "light", 1280, 760)
                await photograph(browser, shop, "dashboard-phone", "", "light", 360, 740)
                await browser.close()
            (gates / "70").touch()


async def work(shop: Shop, chance: random.Random) -> int:
    """Enqueue waves of jobs; return the id of one that failed."""
    for second in range(RUN_SECONDS):
        jobs = [
            NewJob(job_key="resize_image", payload={"seconds": chance.lognormvariate(-2.2, 0.9)})
            for _ in range(chance.randint(4, 26) if second % 12 < 8 else 2)
        ]
        jobs += [NewJob(job_key="import_catalogue", payload={"source": chance.choice(SUPPLIERS), "rows": 400})]
        if second % 9 == 4:
            jobs += [NewJob(job_key="charge_card", payload={"article": chance.choice(("a lamp", "a vase", "a chair"))})]
        await shop.manager.enqueue_many(jobs)
        await asyncio.sleep(1)
    failed = await shop.manager.enqueue("charge_card", {"article": "a lamp"})
    await shop.manager.wait_for(failed, 60)
    return failed


async def photograph(browser: Any, shop: Shop, name: str, address: str, scheme: str, width: int, height: int) -> None:
    """Write one screenshot."""
    context = await browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = await context.new_page()
    await page.goto(shop.url + address)
    await page.locator("html[data-connection=live]").wait_for(state="attached")
    await page.screenshot(path=IMAGES / f"{name}.png")
    await context.close()
    print(f"docs/images/{name}.png")


if __name__ == "__main__":
    asyncio.run(draw())
