"""How soon after a change its answer is read: at once while changes are few, with rests when they keep coming."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import attrs

BURST = 8
"""Refreshes that may follow each other without a rest, after a time of quiet: a job that is enqueued, claimed
and completed changes three times within a millisecond, and each is to be seen."""


@attrs.define(eq=False)
class RateLimiter:
    """Give each refresh its turn: ``BURST`` at once, then one for every rest that has passed.

    A rest is ``rest_share`` times as long as the last refresh took of the processor's time, so that refreshing takes
    a twentieth of it whatever it costs, and ``longest_rest`` seconds at most. Waiting for a server is no work: counted
    as such it would keep news from a server back for twenty milliseconds each. With four times, fifty subscribers of
    one list at 200 commits a second took 16 % of a core; with twenty they take 9 %.
    """

    longest_rest: float = 0.02
    rest_share: float = 20.0
    spent: Callable[[], float] = time.process_time
    _rest: float = attrs.field(init=False, default=0.0)
    _credit: float = attrs.field(init=False, default=BURST)
    _turn_at: float = attrs.field(init=False, default=0.0)
    _spent_before: float = attrs.field(init=False, default=0.0)

    async def turn(self) -> None:
        """Wait until the next refresh may begin."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self._rest > 0:
            self._credit = min(BURST, self._credit + (now - self._turn_at) / self._rest)
        if self._credit < 1:
            await asyncio.sleep((1 - self._credit) * self._rest)
            self._credit = 1.0
        self._credit -= 1
        self._turn_at = loop.time()
        self._spent_before = self.spent()

    def refreshed(self) -> None:
        """Note that the refresh which began with the last turn is done."""
        took = self.spent() - self._spent_before
        self._rest = min(took * self.rest_share, self.longest_rest)
