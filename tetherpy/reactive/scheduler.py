"""When refreshing happens: once per turn of the event loop, or at once where no loop runs.

One scheduler serves a tree of containers. It collects the nodes to refresh, the listeners to call and the
providers that nobody uses any more, and settles all of it in one go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from threading import get_ident
from typing import Final, Generic, NoReturn, TypeVar

from tetherpy.wait_queue import WaitQueue

from .errors import EndlessUpdateError
from .loops import running_loop
from .retry import Retrying

E = TypeVar("E")

MOST_ROUNDS: Final = 1_000
"""How often listeners may change what they listen to, in one turn, before this counts as endless."""


class Scheduler(Generic[E]):
    """The work that waits for the end of the turn.

    Args:
        refresh: brings one node up to date.
        dispose: disposes one node, if still nobody uses it.
        provider_of: names the node's provider, for messages.
    """

    __slots__ = (
        "_dispose",
        "_handle",
        "_loop",
        "_provider_of",
        "_refresh",
        "_settled",
        "announcements",
        "building",
        "depth",
        "disposals",
        "home",
        "queue",
        "retries",
        "thread",
    )

    def __init__(
        self,
        refresh: Callable[[E], None],
        dispose: Callable[[E], None],
        provider_of: Callable[[E], object],
    ) -> None:
        self._refresh = refresh
        self._dispose = dispose
        self._provider_of = provider_of
        self.queue: list[E] = []
        self.retries: dict[E, Retrying] = {}
        self.disposals: list[E] = []
        self.announcements: list[partial[None]] = []  # the first argument of each is its node
        self.building: E | None = None
        self.depth = 0
        self.thread = get_ident()
        self.home: asyncio.AbstractEventLoop | None = running_loop()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._handle: asyncio.Handle | None = None
        self._settled: WaitQueue[None, None] = WaitQueue()

    def request(self) -> None:
        """Have the waiting work done: on the next turn of the running loop, or now where there is none."""
        loop = running_loop()
        if loop is None:
            if not self.depth:
                self._settle_now()
        elif self._loop is not loop:
            # A request left over from a loop that was closed must not keep this one from being made.
            self._loop = self.home = loop
            self._handle = loop.call_soon(self._turn)

    def leave(self) -> None:
        """End an operation that was begun by ``depth += 1``; the outermost one calls listeners and asks for a turn."""
        self.depth -= 1
        if not self.depth:
            if self.announcements:
                self.announce()
            if self.queue or self.disposals:
                self.request()

    def announce(self) -> None:
        """Call the listeners of what has changed, in the order of the changes.

        Raises:
            EndlessUpdateError: a listener keeps changing what it listens to.
        """
        for _ in range(MOST_ROUNDS):
            if not self.announcements:
                return
            batch, self.announcements = self.announcements, []
            for call in batch:
                call()
        provider = self._provider_of(self.announcements[0].args[0]) if self.announcements else None
        self.announcements.clear()
        if provider is not None:
            raise EndlessUpdateError(provider, MOST_ROUNDS)

    async def pump(self) -> None:
        """Wait until every scheduled refresh and disposal has run, those included that they cause."""
        while self.queue or self.disposals:
            self.request()
            await self._settled.wait(None)

    def close(self) -> None:
        """Forget all waiting work."""
        self.queue.clear()
        self.disposals.clear()
        self.announcements.clear()
        self.retries.clear()
        if self._handle is not None:
            self._handle.cancel()
        self._loop = self._handle = None
        self._wake()

    def _turn(self) -> None:
        self._loop = self._handle = None
        try:
            self._round()
        finally:
            if self.queue or self.disposals:
                self.request()
            self._wake()

    def _wake(self) -> None:
        for waiter in self._settled.take_all():
            waiter.answer(None)

    def _settle_now(self) -> None:
        rounds = 0
        while self.queue or self.disposals:
            if rounds == MOST_ROUNDS:
                self._give_up()
            rounds += 1
            self._round()

    def _give_up(self) -> NoReturn:
        provider = self._provider_of((self.queue or self.disposals)[0])
        self.queue.clear()
        raise EndlessUpdateError(provider, MOST_ROUNDS)

    def _round(self) -> None:
        # What is added meanwhile waits for the next round: a node is refreshed at most once per turn.
        waiting = iter(self.queue)
        self.queue = []
        self.depth += 1
        try:
            for node in waiting:
                self._refresh(node)
                if self.announcements:
                    self.announce()
            if self.disposals:
                disposals, self.disposals = self.disposals, []
                for node in disposals:
                    self._dispose(node)
                if self.announcements:
                    self.announce()
        except BaseException:
            self.queue[:0] = waiting  # a KeyboardInterrupt, say, must not lose the others
            raise
        finally:
            self.depth -= 1
