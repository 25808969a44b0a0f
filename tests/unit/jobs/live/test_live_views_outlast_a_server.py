"""A live query whose server cannot be reached is repeated; it neither ends nor loses its subscribers."""

import asyncio

from tetherpy.database import DatabaseUnavailableError
from tetherpy.jobs import BackgroundJobManager, JobCounts
from tetherpy.jobs.live import live_views as hub


class AwayStore:
    """A store that is unavailable until the test restores it, and that reports no changes."""

    def __init__(self):
        self.away, self.asked = True, 0

    async def counts(self):
        self.asked += 1
        if self.away:
            raise DatabaseUnavailableError("postgresql://host/app", "connection refused")
        return JobCounts(pending=self.asked)

    async def revisions(self):
        if self.away:
            raise DatabaseUnavailableError("postgresql://host/app", "connection refused")
        return {"PENDING": self.asked}

    def on_change(self, callback, closed):
        return lambda: None


async def test_the_present_value_appears_after_the_server_returns_without_a_notification(monkeypatch):
    monkeypatch.setattr(hub, "AGAIN_SECONDS", 0.01)
    store, values, ends = AwayStore(), asyncio.Queue(), []
    manager = BackgroundJobManager(store)
    subscription = manager.watch_counts().subscribe(values.put_nowait, ends.append, lambda: ends.append(None))
    async with asyncio.timeout(25):
        while not store.asked:
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        assert values.empty()
        store.away = False
        assert isinstance(await values.get(), JobCounts)
    assert ends == []
    subscription.dispose()
    asked = store.asked
    await asyncio.sleep(0.05)
    assert store.asked == asked
