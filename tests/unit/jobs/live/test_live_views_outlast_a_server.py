"""A live query whose server cannot be reached is repeated; it neither ends nor loses its subscribers."""

import asyncio

from tetherpy.database import DatabaseUnavailableError
from tetherpy.jobs import BackgroundJobManager, JobCounts
from tetherpy.jobs.live.live_views import AGAIN_SECONDS


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
        self.asked += 1
        if self.away:
            raise DatabaseUnavailableError("postgresql://host/app", "connection refused")
        return {"PENDING": self.asked}

    def on_change(self, callback, closed):
        return lambda: None


async def test_the_present_value_appears_after_the_server_returns_without_a_notification(clock):
    store, values, ends = AwayStore(), asyncio.Queue(), []
    manager = BackgroundJobManager(store)
    subscription = manager.watch_counts().subscribe(values.put_nowait, ends.append, lambda: ends.append(None))
    await clock.advance(10 * AGAIN_SECONDS)
    assert store.asked > 2
    assert values.empty()
    store.away = False
    await clock.advance(2 * AGAIN_SECONDS)
    assert isinstance(values.get_nowait(), JobCounts)
    assert ends == []
    subscription.dispose()
    asked = store.asked
    await clock.advance(10 * AGAIN_SECONDS)
    assert store.asked == asked
