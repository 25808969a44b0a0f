"""The work that waits for the end of a turn: refreshes, disposals and callbacks.

One scheduler serves a tree of containers. Under an event loop it does the work once per turn of the loop, otherwise at
the end of each operation.

User code never runs inside a walk of the graph, except the provider's function and the disposers of its last build.
All other callbacks (listeners, observers, ``on_*``, kept events of streams) are put into ``callbacks``, and called in
that order when the outermost operation has ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from threading import get_ident
from typing import Any, Final, Generic, NoReturn, Protocol, TypeVar

from tetherpy.wait_queue import WaitQueue

from ..errors import EndlessUpdateError
from ..lifecycle.running_loop import running_loop
from .event_loops import EventLoops
from .nested_builds import MOST_NESTED, TooDeepError
from .retries.retry_timer import RetryTimer

E = TypeVar("E")
R = TypeVar("R")

MOST_ROUNDS: Final = 1_000
"""How often listeners may change what they listen to, in one turn, before this counts as endless."""


class Root(Protocol):
    """The part of a root container that its scheduler uses."""

    def report(self, error: BaseException, provider: object) -> None:
        """Report an error that no caller can see, of a provider, a node or a callback."""
        ...

    def report_failure(self, error: BaseException, provider: object) -> None:
        """Report an error to ``on_error``, and never raise it."""
        ...

    def provider_of(self, subject: object) -> object:
        """Return the provider of a node, and any other subject itself."""
        ...


class Scheduler(Generic[E]):
    """The work that waits for the end of the turn.

    Args:
        refresh: brings a node up to date, and then nodes from an iterator until the scheduler has callbacks to call;
            returns the node that it has taken last, if that is not up to date.
        dispose: disposes one node, if it is still unused.
        root: the root container.

    Attributes:
        depth: how many operations are under way; the outermost one calls the callbacks.
        building: the node whose function runs now.
        base: the node whose function waits while a build inside it is ended; disposers read as if no build were
            under way.
        nested: how many builds are under way inside another one.
        changes: counts changes, so that a walk notices one that was made under it.
        unusual: whether an operation has more to do at its end than usual: see ``_end_unusually``.
        loops: the event loops in which the containers work.
    """

    __slots__ = (
        "_dispose",
        "_handle",
        "_interruption",
        "_loop",
        "_refresh",
        "_root",
        "_settled",
        "audit",
        "base",
        "building",
        "callbacks",
        "changes",
        "depth",
        "disposals",
        "interrupted",
        "loops",
        "nested",
        "queue",
        "reloading",
        "retries",
        "thread",
        "too_deep",
        "unusual",
    )

    def __init__(
        self,
        refresh: Callable[[E, Iterator[E], Scheduler[E]], E | None],
        dispose: Callable[[E], None],
        root: Root,
    ) -> None:
        self._refresh = refresh
        self._dispose = dispose
        self._root = root
        self.queue: list[E] = []
        self.retries: dict[E, RetryTimer] = {}
        self.disposals: list[E] = []
        #: Nodes whose refresh was interrupted, by Ctrl-C for example; the next change queues them again.
        self.interrupted: list[E] = []
        #: Functions and their arguments, the first of which is the node. A pair costs less than a partial.
        self.callbacks: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        #: Asynchronous nodes that show previous data while newer data is on its way.
        self.reloading: dict[E, None] = {}
        self.building: E | None = None
        self.base: E | None = None
        self.depth = 0
        self.nested = 0
        #: Unwinds the builds under way. It is kept here because a provider's function may catch it.
        self.too_deep: TooDeepError | None = None
        self.changes = 0
        self.thread = get_ident()
        #: Checks the graph between two operations; set by TETHERPY_CHECK.
        self.audit: Callable[[], None] | None = None
        self.unusual = False
        self.loops = EventLoops(self, root.report)
        #: The error that interrupted a callback, and what it belongs to.
        self._interruption: tuple[BaseException, object] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._handle: asyncio.Handle | None = None
        self._settled: WaitQueue[None, None] | None = None  # most are never pumped

    def request(self) -> None:
        """Do the waiting work: on the next turn of the running loop, or now without a loop."""
        loop = running_loop()
        if loop is None:
            if not self.depth:
                self.settle()
        elif self._loop is not loop:
            # The last request may have been made in a loop that is closed now: request again in this one.
            if self.loops.home is not loop:
                self.loops.move_to(loop)
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
            self._report_interruption()
            if self.queue or self.disposals:
                self.request()
            raise
        self.depth = 0
        if self.queue or self.disposals:
            self.request()
        if self.unusual:
            self._end_unusually()

    def _end_unusually(self) -> None:
        """Raise an interruption, make the calls of other threads, and check the graph."""
        # First: another thread may add a call at any moment.
        self.unusual = self.audit is not None
        if self._interruption is not None:
            self._raise_interruption()
        if self.loops.inbox:
            self.loops.serve_inbox_after_operation()
        if self.audit is not None and not self.depth:
            self.audit()

    def check_with(self, audit: Callable[[], None]) -> None:
        """Call ``audit`` after each operation."""
        self.audit = audit
        self.unusual = True

    def unwinds(self, error: BaseException) -> bool:
        """Whether an error only says that builds are nested too deeply: they are given up, and made one by one."""
        if isinstance(error, RecursionError) and self.nested and self.too_deep is None:
            self.too_deep = TooDeepError([])
            self.nested = MOST_NESTED  # no build begins until all are given up
            return True
        return error is self.too_deep

    def outside_builds(self, function: Callable[[], R]) -> R:
        """Call a function that ends a build: it cannot be unwound, so it reads as if no build were under way."""
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

    def interrupt(self, error: BaseException, subject: object) -> bool:
        """Keep the error of a callback until the end of the outermost operation, which raises it.

        Returns:
            False if one is kept already: an operation raises one error, and the caller reports the others.
        """
        if self._interruption is not None:
            return False
        self._interruption = error, subject
        self.unusual = True
        return True

    def _raise_interruption(self) -> None:
        interruption, self._interruption = self._interruption, None
        if interruption is not None:
            raise interruption[0]

    def _report_interruption(self) -> None:
        """Report the interruption of an operation that raises another error."""
        interruption, self._interruption = self._interruption, None
        if interruption is not None:
            self._root.report_failure(*interruption)

    def _deliver(self) -> None:
        rounds = 0
        while self.callbacks and rounds < MOST_ROUNDS:
            rounds += 1
            rest = iter(self.callbacks)
            self.callbacks = []
            try:
                for callback, arguments in rest:
                    try:
                        callback(*arguments)
                    except BaseException as error:
                        if not self.interrupt(error, arguments[0]):
                            self._root.report_failure(error, arguments[0])
            except BaseException:  # Ctrl-C between two callbacks must not lose the others
                self.callbacks[:0] = rest
                raise
        if self.callbacks:
            self._refuse_endless(self.callbacks[0][1][0], self.callbacks)

    def _refuse_endless(self, subject: object, waiting: list[Any]) -> NoReturn:
        waiting.clear()
        raise EndlessUpdateError(self._root.provider_of(subject), MOST_ROUNDS)

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
        self.loops.close()
        if self._handle is not None:
            self._handle.cancel()
        self._loop = self._handle = None
        self._wake()

    # -- turns -----------------------------------------------------------------------------------

    def _turn(self) -> None:
        self._loop = self._handle = None
        try:
            self._round()
        except BaseException:
            self._report_interruption()
            raise
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
        """Do the waiting work now, and the work that it causes; no event loop runs and no operation is under way."""
        try:
            self._round()
            if self.queue or self.disposals:
                self._more_rounds()
        except BaseException:
            self._report_interruption()
            raise
        if self._interruption is not None:
            self._raise_interruption()

    def _more_rounds(self) -> None:
        for _ in range(1, MOST_ROUNDS):
            self._round()
            if not self.queue and not self.disposals:
                return
        self._refuse_endless((self.queue or self.disposals)[0], self.queue)

    def _round(self) -> None:
        # Work that is added during the round waits for the next one: a node is refreshed at most once per turn.
        rest = iter(self.queue)
        self.queue = []
        following: E | None = None
        self.depth += 1
        try:
            following = next(rest, None)
            while following is not None:
                node, following = following, None
                following = self._refresh(node, rest, self)
                if self.callbacks:
                    self._deliver()
            if self.disposals:
                self._dispose_unused()
        except BaseException:  # Ctrl-C, for example, must not lose the others
            self.queue[:0] = rest if following is None else (following, *rest)
            if self.callbacks:
                self._deliver()
            raise
        finally:
            self.depth -= 1

    def _dispose_unused(self) -> None:
        waiting, self.disposals = self.disposals, []
        waiting.reverse()
        try:
            while waiting:
                self._dispose(waiting.pop())
        except BaseException:
            waiting.reverse()
            self.disposals[:0] = waiting
            raise
        if self.callbacks:
            self._deliver()
