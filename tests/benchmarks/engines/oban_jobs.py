"""Oban's job of the benchmark (Python 3.12), and the enqueueing of its backlog."""

import asyncio

from oban import Oban, job
from oban.schema import install


@job(queue="default")
async def noop(n):
    return None


async def _fill(url, count):
    pool = await Oban.create_pool(dsn=url)
    await install(pool)
    oban = Oban(pool=pool, leadership=False)
    for start in range(0, count, 1000):
        await oban.enqueue_many([noop.new(n) for n in range(start, min(start + 1000, count))])
    await pool.close()


def fill(url, count):
    asyncio.run(_fill(url, count))
