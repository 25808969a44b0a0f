"""A view whose server cannot be reached is asked again; it neither ends nor forgets who listens."""

import asyncio

from tetherpy.database import DatabaseUnavailableError
from tetherpy.jobs import BackgroundJobManager, JobCounts
from tetherpy.jobs.live import live_views as hub


class AwayStore:
    """A store that is away until it is said to be back; nobody tells of changes."""

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


async def test_it_shows_the_present_value_when_the_server_is_back_without_being_told(monkeypatch):
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
