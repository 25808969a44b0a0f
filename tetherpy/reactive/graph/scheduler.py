"""When refreshing happens: once per turn of the event loop, or at once where no loop runs.

One scheduler serves a tree of containers. It collects the nodes to refresh, the callbacks to call and the
providers that are no longer used, and settles all of it together.

User code never runs inside a walk of the graph, except the provider's function itself and what ends its last
build. Everything else (listeners, observers, ``on_*`` callbacks, events of streams that were kept back) is put
into ``callbacks``, and called in that order when the outermost walk has ended.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection
from threading import get_ident
from typing import Any, Final, Generic, Protocol, TypeVar

from tetherpy.wait_queue import WaitQueue

from ..errors import EndlessUpdateError
from ..lifecycle.event_loop import running_loop
from ..lifecycle.teardown import Teardown
from ..lifecycle.teardown_order import Teardowns
from ..lifecycle.timers import Timers
from .nested_builds import MOST_NESTED, TooDeepError
from .retries.retry_timer import RetryTimer

E = TypeVar("E")
R = TypeVar("R")

MOST_ROUNDS: Final = 1_000
"""How often listeners may change what they listen to, in one turn, before this counts as endless."""


class Running(Protocol):
    """A build or a stream whose task has not ended."""

    def change_loop(self) -> None:
        """Begin again in the loop that runs now, if the loop of the task is closed."""
        ...


class Scheduler(Generic[E]):
    """The work that waits for the end of the turn.

    Args:
        refresh: brings the last nodes of a list up to date, until there are callbacks, which are its second argument.
        dispose: disposes one node, if it is still unused.
        provider_of: names the node's provider, for messages.
        report: takes an error that no caller can see, and what it belongs to.

    Attributes:
        depth: how many operations are under way; the outermost one calls the callbacks.
        building: the node whose function runs now.
        base: the node whose function waits while a build inside it is ended; what disposers read is built as if
            no build were under way.
        nested: how many builds are under way inside another one.
        changes: counts changes, so that a walk notices one that was made under it.
        home: the event loop that the containers worked under last.
    """

    __slots__ = (
        "_dispose",
        "_handle",
        "_inbox_runs",
        "_interruption",
        "_loop",
        "_provider_of",
        "_refresh",
        "_report",
        "_settled",
        "_teardowns",
        "_timers",
        "audit",
        "base",
        "building",
        "callbacks",
        "changes",
        "depth",
        "disposals",
        "home",
        "in_next_loop",
        "inbox",
        "interrupted",
        "nested",
        "queue",
        "reloading",
        "retries",
        "running",
        "thread",
        "too_deep",
    )

    def __init__(
        self,
        refresh: Callable[[list[E], Collection[object]], None],
        dispose: Callable[[E], None],
        provider_of: Callable[[E], object],
        report: Callable[[BaseException, object], None],
    ) -> None:
        self._refresh = refresh
        self._dispose = dispose
        self._provider_of = provider_of
        self._report = report
        self.queue: list[E] = []
        self.retries: dict[E, RetryTimer] = {}
        self.disposals: list[E] = []
        #: Nodes whose refresh was interrupted, by Ctrl-C for example; the next change queues them again.
        self.interrupted: list[E] = []
        #: Functions and their arguments, the first of which is the node. A pair costs less than a partial.
        self.callbacks: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        #: Asynchronous nodes that show previous data while newer data is on its way.
        self.reloading: dict[E, None] = {}
        self._teardowns: Teardowns[Teardown] | None = None
        self._timers: Timers | None = None
        self.building: E | None = None
        self.base: E | None = None
        self.depth = 0
        self.nested = 0
        #: Unwinds the builds under way. It is kept here because a provider's function may catch it.
        self.too_deep: TooDeepError | None = None
        self.changes = 0
        self.thread = get_ident()
        self.home: asyncio.AbstractEventLoop | None = running_loop()
        #: Calls from other threads, in the order of their arrival.
        self.inbox: deque[Callable[[], object]] = deque()
        #: Calls that need a loop, asked for where none ran: one for each object that they are for.
        self.in_next_loop: dict[object, Callable[[], object]] = {}
        #: The builds and streams whose tasks have not ended.
        self.running: dict[Running, None] = {}
        #: Checks the graph between two operations; set by TETHERPY_CHECK.
        self.audit: Callable[[], None] | None = None
        self._inbox_runs = False
        self._interruption: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._handle: asyncio.Handle | None = None
        self._settled: WaitQueue[None, None] | None = None  # most are never pumped

    @property
    def teardowns(self) -> Teardowns[Teardown]:
        """The teardowns that wait for something asynchronous; most containers have none."""
        if self._teardowns is None:
            self._teardowns = Teardowns()
        return self._teardowns

    @property
    def timers(self) -> Timers:
        """The delayed calls; most containers have none."""
        if self._timers is None:
            self._timers = Timers()
        return self._timers

    def request(self) -> None:
        """Have the waiting work done: on the next turn of the running loop, or now where there is none."""
        loop = running_loop()
        if loop is None:
            if not self.depth:
                self.settle()
        elif self._loop is not loop:
            # A request left over from a loop that was closed must not keep this one from being made.
            if self.home is not loop:
                self.move_to(loop)
                if self._loop is loop:
                    return
            self._loop = loop
            self._handle = loop.call_soon(self._turn)

    def leave(self) -> None:
        """End an operation that was begun by ``depth += 1``.

        The outermost one calls the callbacks while it still counts, so that changes made by a callback queue up
        behind those that came before. Then it asks for a turn.
        """
        if self.depth > 1:
            self.depth -= 1
            return
        try:
            if self.callbacks:
                self._deliver()
        except BaseException:
            self.depth = 0
            if self.queue or self.disposals:
                self.request()
            raise
        self.depth = 0
        if self.queue or self.disposals:
            self.request()
        if self._interruption is not None:
            self._raise_interruption()
        if self.inbox:
            loop = running_loop()
            if loop is None:
                self.serve_inbox()
            else:
                loop.call_soon(self.serve_inbox)  # it may have been refused while the operation was under way
        if self.audit is not None and not self.depth:
            self.audit()

    def unwinds(self, error: BaseException) -> bool:
        """Whether an error only says that builds are nested too deeply: they are given up, and made one by one."""
        if isinstance(error, RecursionError) and self.nested and self.too_deep is None:
            self.too_deep = TooDeepError([])
            self.nested = MOST_NESTED  # no build begins until all are given up
            return True
        return error is self.too_deep

    def outside_builds(self, function: Callable[[], R]) -> R:
        """Call what ends a build: it cannot be unwound and run again, so it reads as if no build were under way."""
        base, nested = self.base, self.nested
        self.base, self.nested = self.building, 0
        try:
            return function()
        finally:
            self.base, self.nested = base, nested

    def queue_interrupted(self) -> None:
        """Queue again the nodes whose refresh was interrupted."""
        self.queue.extend(self.interrupted)
        self.interrupted.clear()

    def interrupt(self, error: BaseException) -> None:
        """Keep an error that is no Exception until the outermost operation ends, which raises it."""
        if self._interruption is None:
            self._interruption = error

    def _raise_interruption(self) -> None:
        error, self._interruption = self._interruption, None
        if error is not None:
            raise error

    def _deliver(self) -> None:
        callbacks = self.callbacks
        for _ in range(MOST_ROUNDS):
            for _ in range(len(callbacks)):
                callback, arguments = callbacks.popleft()
                try:
                    callback(*arguments)
                except BaseException as error:
                    self.interrupt(error)
            if not callbacks:
                return
        provider = self._provider_of(callbacks[0][1][0])
        callbacks.clear()
        raise EndlessUpdateError(provider, MOST_ROUNDS)

    async def pump(self) -> None:
        """Wait until every scheduled refresh and disposal has run, those included that they cause."""
        while self.queue or self.disposals:
            self.request()
            if self._settled is None:
                self._settled = WaitQueue()
            await self._settled.wait(None)

    def close(self) -> None:
        """Forget all waiting work. Callbacks stay: the operation that is under way calls them at its end."""
        self.queue.clear()
        self.disposals.clear()
        self.interrupted.clear()
        self.retries.clear()
        if self._timers is not None:
            self._timers.close()
        if self._handle is not None:
            self._handle.cancel()
        self._loop = self._handle = None
        self._wake()

    # -- loops and threads -----------------------------------------------------------------------

    def serve(self) -> None:
        """Move to the running loop if it is another one or something waits for it.

        Without one, make the calls of other threads. A loop makes them itself, never between a read and a write.
        """
        loop = running_loop()
        if loop is None:
            if self.inbox:
                self.serve_inbox()
        elif loop is not self.home or self.in_next_loop:
            self.move_to(loop)

    def move_to(self, loop: asyncio.AbstractEventLoop) -> None:
        """Serve the loop that runs now: timers and calls from other threads would wait in vain in a former one."""
        self.home = loop
        if self._timers is not None:
            self._timers.move_to(loop)
        if self.inbox:
            loop.call_soon(self.serve_inbox)
        if self._teardowns is not None:
            self._teardowns.resume()
        if self.queue or self.disposals:
            self.request()
        for running in tuple(self.running):
            self.in_next_loop.setdefault(running, running.change_loop)
        waiting, self.in_next_loop = self.in_next_loop, {}
        calls = list(waiting.items())
        calls.reverse()
        try:
            while calls:
                calls.pop()[1]()
        finally:
            if calls:  # one of them was interrupted, by Ctrl-C for example
                self.in_next_loop = {**dict(reversed(calls)), **self.in_next_loop}

    def call_soon_threadsafe(self, fn: Callable[[], object]) -> None:
        """Put a call into the inbox and wake the loop; may be called from any thread."""
        self.inbox.append(fn)
        loop = self.home
        if loop is not None:
            try:
                loop.call_soon_threadsafe(self.serve_inbox)
            except RuntimeError:
                return  # The loop is closed. The call waits in the inbox for the next use of the container.

    def serve_inbox(self) -> None:
        """Make the calls of other threads, the first one first, unless an operation is under way: then at its end."""
        if self.depth or self._inbox_runs:
            return
        self._inbox_runs = True
        calls = self.inbox
        try:
            for _ in range(len(calls)):
                call = calls.popleft()
                try:
                    call()
                except Exception as error:
                    self._report(error, call)
        finally:
            self._inbox_runs = False
            if calls and (loop := running_loop()) is not None:
                loop.call_soon(self.serve_inbox)

    # -- turns -----------------------------------------------------------------------------------

    def _turn(self) -> None:
        self._loop = self._handle = None
        try:
            self._round()
        finally:
            if self.queue or self.disposals:
                self.request()
            self._wake()
            self._raise_interruption()
        if self.audit is not None and not self.depth:
            self.audit()

    def _wake(self) -> None:
        if self._settled is not None:
            for waiter in self._settled.take_all():
                waiter.answer(None)

    def settle(self) -> None:
        """Do the waiting work now, and what it causes: no event loop runs and no operation is under way."""
        try:
            for _ in range(MOST_ROUNDS):
                self._round()
                if not self.queue and not self.disposals:
                    return
            provider = self._provider_of((self.queue or self.disposals)[0])
            self.queue.clear()
            raise EndlessUpdateError(provider, MOST_ROUNDS)
        finally:
            self._raise_interruption()

    def _round(self) -> None:
        # What is added meanwhile waits for the next round: a node is refreshed at most once per turn.
        waiting, self.queue = self.queue, []
        waiting.reverse()
        self.depth += 1
        try:
            while waiting:
                self._refresh(waiting, self.callbacks)
                if self.callbacks:
                    self._deliver()
            if self.disposals:
                disposals, self.disposals = self.disposals, []
                for node in disposals:
                    self._dispose(node)
                if self.callbacks:
                    self._deliver()
        except BaseException:
            waiting.reverse()
            self.queue[:0] = waiting  # a KeyboardInterrupt, say, must not lose the others
            raise
        finally:
            self.depth -= 1
