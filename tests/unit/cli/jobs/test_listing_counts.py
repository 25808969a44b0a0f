"""A list costs the same number of SQLite steps over many jobs as over few, and reads no more rows than it shows."""

from contextlib import asynccontextmanager

import pytest

from tetherpy.cli.jobs import list_command
from tetherpy.jobs import BackgroundJobStatus, NewJob, open_engine


@pytest.fixture
async def engine(tmp_path):
    async with open_engine(tmp_path / "shop.db") as engine:
        yield engine


@pytest.mark.parametrize(
    "filters",
    [{}, {"status": BackgroundJobStatus.PENDING}, {"key": "even"}, {"key": "even", "offset": 10}, {"text": "odd"}],
    ids=str,
)
async def test_the_cost_of_a_list_does_not_grow_with_the_table(engine, filters, monkeypatch, capsys):
    async def enqueue(count):
        await engine.enqueue([NewJob(job_key="odd" if number % 2 else "even") for number in range(count)])

    async def steps():
        counted = []

        @asynccontextmanager
        async def watched(_):
            await engine.db.read(lambda connection: connection.set_progress_handler(lambda: counted.append(1), 1))
            yield engine
            await engine.db.read(lambda connection: connection.set_progress_handler(None, 0))

        monkeypatch.setattr(list_command, "existing_jobs", watched)
        await list_command.list_jobs(**filters)
        assert len(capsys.readouterr().out.splitlines()) == 20
        return len(counted)

    await enqueue(200)
    await steps()  # the first statement of a connection reads the schema
    few = await steps()
    await enqueue(4000)
    assert await steps() <= few * 1.1
