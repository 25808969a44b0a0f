"""Rate limit of updates: immediate after a change, throttled while changes continue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar

import attrs

from tetherpy.event_wait import wait_for_event
from tetherpy.jobs import JobStore
from tetherpy.observables import listen_to
from tetherpy.reactive import latest

if TYPE_CHECKING:
    from reactivex import Observable

T = TypeVar("T")

SHORTEST_REST = 0.05
"""Minimum seconds between updates: at most 20 a second."""
STEADY_REST = 0.2
"""Minimum seconds between updates while changes continue, to save work in the browser."""
BURST = 12
"""Updates at the shortest interval before the longer one applies."""
REST_SHARE = 10.0
"""The pause is so many times as long as the query took, so that a slow query uses a tenth of the time."""
LONGEST_REST = 2.0
"""Maximum pause in seconds, however long the query took."""


@attrs.define
class RefreshLimiter:
    """A token bucket that returns the pause after each update; ``least`` is the shortest pause."""

    least: float = SHORTEST_REST
    _credit: float = attrs.field(init=False, default=BURST)
    _last: float | None = attrs.field(init=False, default=None)

    def after(self, took: float, now: float) -> float:
        """Return the pause in seconds after a query that took ``took`` seconds; ``now`` is the loop's time."""
        passed = 0.0 if self._last is None else now - self._last
        self._last = now
        self._credit = max(0.0, min(BURST, self._credit + passed / STEADY_REST) - 1)
        steady = SHORTEST_REST if self._credit >= 1 else STEADY_REST
        return max(self.least, steady, min(REST_SHARE * took, LONGEST_REST))


async def paced(values: Observable[T]) -> AsyncGenerator[T]:
    """Yield the first value, and then the newest value after each pause."""
    loop = asyncio.get_running_loop()
    rests = RefreshLimiter()

    async with aclosing(latest(listen_to(values))) as newest:
        async for value in newest:
            yield value
            await asyncio.sleep(rests.after(0.0, loop.time()))


async def asked(
    store: JobStore,
    ask: Callable[[], Awaitable[T]],
    *,
    rest: float = SHORTEST_REST,
    at_latest: float | None = None,
) -> AsyncGenerator[T]:
    """Yield a result now and after each change of jobs; after ``at_latest`` seconds even without a change."""
    loop = asyncio.get_running_loop()
    rests = RefreshLimiter(rest)
    changed = asyncio.Event()
    failures: list[Exception] = []

    def closed(error: Exception) -> None:
        failures.append(error)
        changed.set()

    unhook = store.on_change(changed.set, closed)
    try:
        while not failures:
            changed.clear()
            begun = loop.time()
            answer = await ask()
            took = loop.time() - begun
            yield answer
            await asyncio.sleep(rests.after(took, loop.time()))
            await wait_for_event(changed, at_latest)
        raise failures[0]
    finally:
        unhook()
