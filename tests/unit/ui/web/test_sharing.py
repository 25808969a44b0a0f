"""The cost of pages, counted in queries, for any number of pages and jobs."""

import tracemalloc
from contextlib import AsyncExitStack, aclosing

import attrs
import pytest

from tests.support.waiting import until
from tetherpy import Provider, ProviderContainer
from tetherpy.database import Database
from tetherpy.jobs import JOB_MIGRATIONS, BackgroundJobManager, BackgroundJobStatus, NewJob, SqliteJobEngine
from tetherpy.jobs.sqlite import finding
from tetherpy.jobs.sqlite.timeline import timeline
from tetherpy.jobs.storage.row_decoding import JobReader
from tetherpy.jobs.storage.timestamps import utc_now
from tetherpy.ui.web.event_stream import Live
from tetherpy.ui.web.pages.fragments import declare_parts
from tetherpy.ui.web.pages.job_filters import WINDOWS, JobFilter
from tetherpy.ui.web.pages.page_providers import declare_sources
from tetherpy.ui.web.pages.rendering import Renderer

pytestmark = pytest.mark.slow

QUESTIONS = ("find", "counts", "timeline", "get", "get_many", "attempts", "workers")


class Counting:
    """An engine that counts its calls."""

    def __init__(self, engine):
        self.engine, self.asked = engine, dict.fromkeys(QUESTIONS, 0)

    def __getattr__(self, name):
        found = getattr(self.engine, name)
        if name not in QUESTIONS:
            return found

        def counted(*arguments, **options):
            self.asked[name] += 1
            return found(*arguments, **options)

        return counted


@pytest.fixture
async def db(tmp_path):
    async with Database.open(tmp_path / "app.db", migrations=JOB_MIGRATIONS, safety_interval=None) as db:
        yield db


@pytest.fixture
async def engine(db):
    return Counting(SqliteJobEngine(db))


@pytest.fixture
async def page(engine, monkeypatch):
    """Return a live view with the parts of its first page."""
    monkeypatch.setattr("tetherpy.ui.web.event_stream.FIRST_PAINT_SECONDS", 25.0)
    async with ProviderContainer() as container:
        manager = BackgroundJobManager(engine)
        parts = declare_parts(declare_sources(Provider(lambda ref: manager), None), Renderer("Jobs"))
        shown = [parts.title, parts.tiles("1h"), parts.table(JobFilter()), parts.charts(WINDOWS["1h"])]
        yield Live(container), shown


async def test_a_page_takes_three_queries_and_its_stream_only_cheap_ones(engine, page, monkeypatch):
    monkeypatch.setattr("tetherpy.ui.web.pages.page_providers.KEPT_SECONDS", 25.0)
    live, parts = page
    seen = await live.first(parts)
    assert seen.ready
    await until(lambda: {"jobs", "counts"}.isdisjoint(provider.name for provider in live.container.all_providers()))
    async with aclosing(live.events(parts)) as events:
        assert b"hello" in await anext(events)
        assert b"change" in await anext(events)
    assert engine.asked == {**dict.fromkeys(QUESTIONS, 0), "find": 2, "counts": 2, "timeline": 1}


async def test_fifty_pages_cost_as_much_as_one(engine, page):
    live, parts = page
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(aclosing(live.events(parts))) for _ in range(50)]
        for stream in streams:
            await anext(stream)
        for stream in streams:
            while b"Jobs 1 to" not in (message := await anext(stream)) and b"No jobs yet" not in message:
                pass
        before = dict(engine.asked)
        await engine.enqueue([NewJob(job_key="the new one")])
        for stream in streams:
            while b"the new one" not in await anext(stream):
                pass
        assert engine.asked["find"] - before["find"] == 1
        assert engine.asked["counts"] - before["counts"] <= 1


async def test_closed_pages_cost_nothing(engine, page):
    live, parts = page
    await live.first(parts)
    await until(lambda: not any(provider.is_auto_dispose for provider in live.container.all_providers()))
    before = dict(engine.asked)
    await engine.enqueue([NewJob(job_key="k")])
    await live.container.pump()
    assert engine.asked == before


async def test_a_row_is_rendered_once_until_its_job_changes(engine):
    drawing = Renderer("Jobs")
    (job_id,) = await engine.enqueue([NewJob(job_key="k")])
    job = await engine.get(job_id)
    for _ in range(5):
        drawing.row(job)
    drawing.row(await engine.request_cancel(job_id))
    assert (drawing.row_of.cache_info().misses, drawing.row_of.cache_info().hits) == (2, 4)


async def test_cached_rows_keep_no_large_texts(engine):
    drawing = Renderer("Jobs")
    (job_id,) = await engine.enqueue([NewJob(job_key="k", payload="p" * 500_000)])
    job = attrs.evolve(await engine.get(job_id), result_json="r" * 500_000, status=BackgroundJobStatus.COMPLETED)
    tracemalloc.start()
    try:
        for number in range(20):
            texts = {"payload_json": f"{number}{job.payload_json}", "result_json": f"{number}{job.result_json}"}
            drawing.row(attrs.evolve(job, id=number, **texts))
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 2_000_000


@pytest.mark.parametrize("wanted", [JobFilter(), JobFilter.of({"status": "pending"}), JobFilter.of({"key": "k1"})])
async def test_the_cost_of_the_first_page_does_not_grow_with_the_table(db, engine, wanted):
    def steps():
        return db.read(count_steps, finding.find, JobReader(), wanted.query)

    await engine.enqueue([NewJob(job_key=f"k{n % 3}") for n in range(300)])
    small = await steps()
    await engine.enqueue([NewJob(job_key=f"k{n % 3}") for n in range(20_000)])
    assert await steps() <= small * 1.1


async def test_a_timeline_reads_only_new_jobs(db, engine):
    await engine.enqueue([NewJob(job_key="old") for _ in range(20_000)])
    since = utc_now()
    await engine.enqueue([NewJob(job_key="new") for _ in range(10)])
    found = await db.read(timeline, since, utc_now(), 10_000)
    assert len(found.jobs) == 10
    assert await db.read(count_steps, timeline, since, utc_now(), 10_000) < 20 * 20_000


def count_steps(connection, work, *arguments):
    """Return the number of SQLite virtual machine steps of some work."""
    steps = 0

    def tick():
        nonlocal steps
        steps += 1
        return 0

    connection.set_progress_handler(tick, 1)
    try:
        work(connection, *arguments)
    finally:
        connection.set_progress_handler(None, 1)
    return steps
