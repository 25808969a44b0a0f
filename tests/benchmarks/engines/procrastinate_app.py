"""Procrastinate as in its documentation: an app, a task that does nothing, a worker with ten slots."""

import asyncio
import os

import procrastinate

URL = os.environ["BENCH_URL"]
SLOTS = 10
app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=URL))


@app.task(name="noop")
async def noop(n):
    return None


async def work():
    async with app.open_async():
        await app.run_worker_async(concurrency=SLOTS, install_signal_handlers=False)


def main():
    asyncio.run(work())
