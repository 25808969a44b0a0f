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
    """Limit the rate of refreshes: ``BURST`` at once, then one after each pause.

    A pause is ``rest_share`` times the CPU time of the last refresh, so refreshing takes a twentieth of a core, and at
    most ``longest_rest`` seconds. Waiting for a server does not count, since it would delay each update from a server
    by twenty milliseconds. With a factor of four, fifty subscribers of one list at 200 commits a second took 16 % of a
    core; with twenty they take 9 %.
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
