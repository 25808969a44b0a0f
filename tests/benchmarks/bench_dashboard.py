"""Measure the dashboard: ``python -m tests.benchmarks.bench_dashboard`` writes docs/explanation/dashboard-performance.md."""

from __future__ import annotations

import asyncio
import os
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs
import psutil
from playwright.async_api import async_playwright

from tests.browser import chromium
from tests.browser.shop import Shop, open_shop
from tetherpy.jobs import Ack, BackgroundJobManager, Claim, Completed, NewJob, Progress, SqliteJobEngine

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "dashboard-performance.md"
BURST_SECONDS = 10
CHANGES_PER_SECOND = 500
STREAMS = 50
MANY = 100_000
PAGES = 10

WATCH = """
(selector) => {
  window.delays = [];
  const target = document.querySelector(selector);
  new MutationObserver(() => {
    const told = /t=([0-9.]+)/.exec(target.textContent);
    if (told) window.delays.push(performance.timeOrigin + performance.now() - Number(told[1]) * 1000);
  }).observe(target, { childList: true, subtree: true, characterData: true });
}
"""


@attrs.frozen
class Worker:
    """Simulates a worker: a page should show its commits."""

    engine: SqliteJobEngine

    async def claim(self) -> Claim:
        await self.engine.enqueue([NewJob(job_key="measured")])
        (claim,) = (await self.engine.ack_and_fetch("bench", [], 1)).claims
        return claim


async def delays(page: Any, shop: Shop, worker: Worker, pause: float, samples: int) -> list[float]:
    """Return milliseconds from the call that commits a job's progress to its text on the open page."""
    claim = await worker.claim()
    await page.goto(shop.url)
    text = f"#job-{claim.id} .progress-text"
    await page.locator("html[data-connection=live]").wait_for(state="attached")
    await page.locator(text).wait_for()
    await page.evaluate(WATCH, f"#job-{claim.id}")
    for number in range(samples):
        await asyncio.sleep(pause * random.uniform(0.6, 1.4))
        await worker.engine.report_progress([Progress(claim, number / samples, f"t={time.time():.6f}")])
    await asyncio.sleep(0.5)
    await worker.engine.ack_and_fetch("bench", [Ack(claim, Completed())], 0)
    found: list[float] = await page.evaluate("window.delays")
    return found


async def burst(page: Any, shop: Shop, worker: Worker) -> dict[str, float]:
    """Return the processor time of a tab while 500 commits a second change its content, and its number of updates."""
    await page.goto(shop.url)
    await page.locator("html[data-connection=live]").wait_for(state="attached")
    await page.evaluate(
        "window.updates = 0; new MutationObserver(() => { window.updates += 1 })"
        ".observe(document.getElementById('tiles'), { childList: true, subtree: true, characterData: true })"
    )
    session = await page.context.new_cdp_session(page)
    # The processor time of the tab, which other processes do not change.
    await session.send("Performance.enable", {"timeDomain": "threadTicks"})
    before, begun = await metrics(session), time.perf_counter()
    made = 0
    while (passed := time.perf_counter() - begun) < BURST_SECONDS:
        if made < passed * CHANGES_PER_SECOND:
            (claim,) = (await worker.engine.ack_and_fetch("bench", [], 1)).claims or (None,)
            if claim is None:
                await worker.engine.enqueue([NewJob(job_key="measured") for _ in range(50)])
                made += 1
                continue
            await worker.engine.ack_and_fetch("bench", [Ack(claim, Completed())], 0)
            made += 2
        else:
            await asyncio.sleep(0.001)
    after, took = await metrics(session), time.perf_counter() - begun
    updates = await page.evaluate("window.updates")
    return {
        "changes": made / took,
        "updates": updates / took,
        "core": (after["TaskDuration"] - before["TaskDuration"]) / took,
        "script": (after["ScriptDuration"] - before["ScriptDuration"]) / took,
    }


async def metrics(session: Any) -> dict[str, float]:
    answer = await session.send("Performance.getMetrics")
    return {metric["name"]: metric["value"] for metric in answer["metrics"]}


async def fetch(shop: Shop, target: str) -> float:
    """Return milliseconds from the request to the last byte of a page."""
    begun = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", shop.port)
    writer.write(f"GET /{target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 200")
    writer.close()
    return (time.perf_counter() - begun) * 1000


async def first_paints(shop: Shop, manager: BackgroundJobManager) -> dict[str, list[float]]:
    """Return the times of pages of a hundred thousand jobs, each rendered without a cache."""
    for _ in range(MANY // 10_000):
        await manager.enqueue_many([NewJob(job_key=f"kind {n % 7}", payload={"n": n}) for n in range(10_000)])
    times: dict[str, list[float]] = {}
    server = psutil.Process(shop.server_pid)
    targets = {
        "the first page": "",
        "one status": "?status=pending",
        "one handler": "?key=kind+3",
        "page 1,900": "?page=1900",
        "a search that finds nothing": "?text=nothing+has+this",
    }
    for name, target in targets.items():
        times[name] = []
        spent = 0.0
        for _ in range(PAGES):
            await asyncio.sleep(1.3)  # charts are cached for a second
            before = server.cpu_times()
            times[name].append(await fetch(shop, target))
            after = server.cpu_times()
            spent += after.user + after.system - before.user - before.system
        times[name].insert(0, spent / PAGES * 1000)
    return times


async def server_share(shop: Shop, worker: Worker, streams: int) -> float:
    """Return the share of a core that the server uses for some open streams at 200 changes a second."""
    server = psutil.Process(shop.server_pid)
    connections: list[asyncio.Task[None]] = [asyncio.create_task(follow(shop)) for _ in range(streams)]
    await asyncio.sleep(1)
    before, begun = server.cpu_times(), time.perf_counter()
    for number in range(200 * 5):
        await worker.engine.enqueue([NewJob(job_key="measured", delay=900)])
        await asyncio.sleep(max(0.0, begun + (number + 1) / 200 - time.perf_counter()))
    after, took = server.cpu_times(), time.perf_counter() - begun
    for connection in connections:
        connection.cancel()
    await asyncio.wait(connections)
    return (after.user + after.system - before.user - before.system) / took


async def follow(shop: Shop) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", shop.port)
    writer.write(b"GET /live/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    with suppress(ConnectionError):
        while await reader.read(1 << 16):
            pass


async def in_fresh_shop(measure: Callable[[Shop, Worker], Awaitable[Any]]) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        async with open_shop(Path(folder)) as shop:
            await shop.serve()
            return await measure(shop, Worker(SqliteJobEngine(shop.manager.engine.db)))  # type: ignore[attr-defined]


def share(values: list[float], part: float) -> float:
    return sorted(values)[min(int(len(values) * part), len(values) - 1)]


async def main() -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium.find(), args=chromium.FLAGS)
        page = await (await browser.new_context(viewport={"width": 1280, "height": 800})).new_page()
        calm = await in_fresh_shop(lambda shop, worker: delays(page, shop, worker, 0.25, 200))
        busy = await in_fresh_shop(lambda shop, worker: delays(page, shop, worker, 0.1, 300))
        tab = await in_fresh_shop(lambda shop, worker: burst(page, shop, worker))
        version = browser.version
        await page.goto("about:blank")
        await browser.close()
    paints = await in_fresh_shop(lambda shop, _: first_paints(shop, shop.manager))
    one = await in_fresh_shop(lambda shop, worker: server_share(shop, worker, 1))
    many = await in_fresh_shop(lambda shop, worker: server_share(shop, worker, STREAMS))
    rows = "\n".join(
        f"| {name} | {spent:.0f} ms | {statistics.median(times):.0f} ms | {max(times):.0f} ms |"
        for name, (spent, *times) in paints.items()
    )
    PAGE.write_text(
        TEXT.format(
            load=os.getloadavg()[1],
            machine=f"{os.cpu_count()} cores, Python {platform.python_version()}, Chromium {version.split('.')[0]}",
            calm_p50=statistics.median(calm),
            calm_p99=share(calm, 0.99),
            busy_p50=statistics.median(busy),
            busy_p99=share(busy, 0.99),
            rows=rows,
            one=one * 100,
            many=many * 100,
            streams=STREAMS,
            **{name: value * 100 if name in ("core", "script") else value for name, value in tab.items()},
        )
    )
    print(PAGE.read_text())


TEXT = """# Performance of the dashboard

`python -m tests.benchmarks.bench_dashboard` measures and writes this page. Server, worker, database and browser
share one machine ({machine}) with other work (load {load:.1f}).

## From a commit to the page

A worker stores the progress of a job, and the text on an open page changes. From the call that commits to the
change in the page, measured by the browser:

| commits a second | median | 99 of 100 within |
| --- | --- | --- |
| 4 | {calm_p50:.0f} ms | {calm_p99:.0f} ms |
| 10, more than are shown one by one | {busy_p50:.0f} ms | {busy_p99:.0f} ms |

## A tab under sustained load

{changes:.0f} commits a second, each of which changes the page, for ten seconds. Updates have a rate limit: at first
20 per second, then five per second. Changes in between are sent together.

| updates of the page per second | main thread of the tab | of this, scripts |
| --- | --- | --- |
| {updates:.1f} | {core:.0f} % of a core | {script:.0f} % |

## Pages of 100,000 jobs

Without caches, and with charts of as many jobs as they can hold. The table shows the processing time of the server, and the time
from the request to the last byte:

| page | server | median | longest |
| --- | --- | --- | --- |
{rows}

The time of the first three does not depend on the size of the table: a test counts SQLite's steps. A distant page and a
search read every row before the ones that they show.

## Many pages at once

Pages with the same view share one query and one rendering; a test counts the queries. At 200 commits a second
the server takes {one:.0f} % of a core for one open page, and {many:.0f} % for {streams}.
"""


if __name__ == "__main__":
    asyncio.run(main())
