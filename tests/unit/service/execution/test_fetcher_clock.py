"""Fetching after changes of the wall clock."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tetherpy.jobs import BackgroundJobManager, SqliteJobEngine
from tetherpy.service.execution import fetcher as claiming
from tetherpy.service.execution.executor import Executor
from tetherpy.service.execution.fetcher import Fetcher
from tetherpy.service.execution.handlers import HandlerRegistry
from tetherpy.service.execution.outcome_policy import OutcomePolicy
from tetherpy.service.execution.progress_reports import ProgressBoard


class WallClock:
    """A clock that the test sets."""

    def __init__(self):
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self):
        return self.now


@pytest.mark.parametrize("moved", [timedelta(days=365), timedelta(days=2 * 365)])
async def test_a_worker_polls_again_soon_however_late_the_next_job_is_due(db, monkeypatch, moved):
    """A job becomes due because the clock jumps: the worker notices it at the end of its sleep."""
    monkeypatch.setattr(claiming, "LONGEST_NAP", timedelta(milliseconds=20))
    clock = WallClock()
    engine = SqliteJobEngine(db, clock=clock)
    manager = BackgroundJobManager(engine)
    registry = HandlerRegistry()
    registry.add("echo", lambda service, payload, db: payload, None, None)
    executor = Executor(registry, lambda run, _handler: (run, db), OutcomePolicy(clock), 1)
    idle = asyncio.Event()
    fetcher = Fetcher(engine, "me", None, executor, ProgressBoard(engine), clock, lambda all_busy: idle.set())
    executor.on_acknowledged, executor.on_free = fetcher.acknowledge, fetcher.wake
    job_id = await manager.enqueue("echo", "late", delay=timedelta(days=365))
    running = asyncio.create_task(fetcher.run())
    async with asyncio.timeout(25):
        await idle.wait()
        assert (await manager.get_job_by_id(job_id)).attempts == 0
        clock.now += moved
        assert (await manager.wait_for(job_id, 25)).result == "late"
        fetcher.drain()
        await running
