"""The providers of this process that watch one job, and their steps, which run one after another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from threading import Lock
from typing import Any, Final, TypeVar
from weakref import WeakValueDictionary

import attrs

from tetherpy.jobs import BackgroundJobManager

T = TypeVar("T")


@attrs.define(eq=False)
class JobWatchers:
    """Counts the builds that watch the job of one identity in one database, in all containers of this process."""

    _watchers: int = 0
    _last: asyncio.Task[Any] | None = None

    def begin(self) -> None:
        """Watch the job; ``end`` ends it."""
        with _lock:
            self._watchers += 1

    def end(self) -> None:
        """End one watch."""
        with _lock:
            self._watchers -= 1

    @property
    def is_watched(self) -> bool:
        """Whether a build watches the job now."""
        return self._watchers > 0

    def then(self, step: Callable[[], Awaitable[T]]) -> asyncio.Task[T]:
        """Start a step that begins when the earlier steps in this event loop have ended."""
        previous, loop = self._last, asyncio.get_running_loop()

        async def run() -> T:
            if previous is not None and previous.get_loop() is loop:
                await asyncio.wait([previous])
            return await step()

        task = self._last = loop.create_task(run())
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if self._last is task:
            self._last = None


_lock: Final = Lock()  # containers of several threads may watch the same job
_watches: Final[WeakValueDictionary[tuple[object, str], JobWatchers]] = WeakValueDictionary()


def watchers_of(manager: BackgroundJobManager, unique_key: str) -> JobWatchers:
    """Return the watch of the job with a unique key, the same one for all managers of one database."""
    db = getattr(manager.engine, "db", None)
    key = (manager.engine if db is None else db.address, unique_key)
    with _lock:
        watch = _watches.get(key)
        if watch is None:
            watch = _watches[key] = JobWatchers()
        return watch
