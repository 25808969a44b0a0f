"""The time of Procrastinate's two calls per job on one connection, with a growing backlog."""

import statistics
import time
import warnings

import procrastinate
import psycopg

BACKLOGS = (500, 5_000, 20_000)
CALLS = 60
FETCH = "SELECT * FROM procrastinate_fetch_job_v2(NULL, %s)"


async def procrastinate_parts(server):
    """Return rows of milliseconds per call, medians."""
    warnings.simplefilter("ignore")
    return [await _measured(server, backlog) for backlog in BACKLOGS]


async def _measured(server, backlog):
    with server.database() as url:
        app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))

        @app.task(name="noop")
        async def noop(n):
            return None

        async with app.open_async():
            await app.schema_manager.apply_schema_async()
            for start in range(0, backlog, 1000):
                await noop.batch_defer_async(*[{"n": n} for n in range(start, min(start + 1000, backlog))])
            worker = await app.job_manager.register_worker()
            fetch, finish = await _calls(app.job_manager, worker)
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("SET synchronous_commit = off")
                unsynced = _fetches(connection, worker)
                connection.execute("ANALYZE")
                analyzed = _fetches(connection, worker)
                connection.execute("ALTER TABLE procrastinate_jobs DISABLE TRIGGER USER")
                bare = _fetches(connection, worker)
    values = (fetch, finish, unsynced, analyzed, bare)
    return (f"{backlog:,}", *(f"{1000 * value:.2f}" for value in values))


async def _calls(manager, worker):
    fetches, finishes = [], []
    for _ in range(CALLS):
        begin = time.perf_counter()
        job = await manager.fetch_job(None, worker)
        between = time.perf_counter()
        await manager.finish_job_by_id_async(job.id, procrastinate.jobs.Status.SUCCEEDED, False)
        fetches.append(between - begin)
        finishes.append(time.perf_counter() - between)
    return statistics.median(fetches), statistics.median(finishes)


def _fetches(connection, worker):
    seconds = []
    for _ in range(CALLS):
        begin = time.perf_counter()
        connection.execute(FETCH, (worker,)).fetchone()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)
