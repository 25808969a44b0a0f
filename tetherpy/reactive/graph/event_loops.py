"""The event loops in which a tree of containers works, one after another, and the calls of other threads."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sized
from typing import Final, Protocol

from ..lifecycle.running_loop import running_loop
from ..lifecycle.teardown import Teardown
from ..lifecycle.teardown_order import Teardowns
from ..lifecycle.timers import Timers

WORK: Final = object()
"""The value of ``served`` while ``serve`` has something to do."""


class Running(Protocol):
    """A build or a stream whose task has not ended."""

    def change_loop(self) -> None:
        """Begin again in the loop that runs now, if the loop of the task is closed."""
        ...


class Operations(Protocol):
    """The part of a scheduler that this module uses."""

    depth: int
    unusual: bool

    @property
    def queue(self) -> Sized:
        """The nodes to refresh."""
        ...

    @property
    def disposals(self) -> Sized:
        """The nodes to dispose if they are unused."""
        ...

    def request(self) -> None:
        """Have the waiting work done."""
        ...


class EventLoops:
    """Follows the running event loop, and makes the calls of other threads.

    Args:
        operations: the scheduler.
        report: reports an error, and the call that has raised it.

    Attributes:
        home: the loop in which the containers were used last.
        served: the running loop, or None where no loop runs, as long as ``serve`` has nothing to do under it.
        inbox: the calls of other threads, in the order of their arrival.
        in_next_loop: calls that need a loop, added where none ran: one for each object that they are for.
        running: the builds and streams whose tasks have not ended.
    """

    __slots__ = (
        "_inbox_runs",
        "_operations",
        "_report",
        "_teardowns",
        "_timers",
        "home",
        "in_next_loop",
        "inbox",
        "running",
        "served",
    )

    def __init__(self, operations: Operations, report: Callable[[BaseException, object], None]) -> None:
        self._operations = operations
        self._report = report
        self._teardowns: Teardowns[Teardown] | None = None
        self._timers: Timers | None = None
        self._inbox_runs = False
        self.home: asyncio.AbstractEventLoop | None = running_loop()
        self.served: object = self.home
        self.inbox: deque[Callable[[], object]] = deque()
        self.in_next_loop: dict[object, Callable[[], object]] = {}
        self.running: dict[Running, None] = {}

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

    def serve(self) -> None:
        """Move to the running loop if it is another one or something waits for it.

        Without one, make the calls of other threads. A loop makes them itself, never between a read and a write.
        """
        loop = running_loop()
        self.served = loop  # first: another thread may add a call at any moment
        if loop is None:
            self.serve_inbox()
            if self.inbox:
                self.served = WORK
        elif loop is not self.home or self.in_next_loop:
            self.move_to(loop)

    def move_to(self, loop: asyncio.AbstractEventLoop) -> None:
        """Work in the loop that runs now: timers and calls of other threads would wait in vain in a former one."""
        self.home = self.served = loop
        if self._timers is not None:
            self._timers.move_to(loop)
        if self.inbox:
            loop.call_soon(self.serve_inbox)
        if self._teardowns is not None:
            self._teardowns.resume()
        if self._operations.queue or self._operations.disposals:
            self._operations.request()
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
                self.served = WORK

    def call_in_next_loop(self, key: object, call: Callable[[], object]) -> None:
        """Make a call when a container is used under a loop the next time; there is one call for each key."""
        self.in_next_loop[key] = call
        self.served = WORK

    def call_soon_threadsafe(self, fn: Callable[[], object]) -> None:
        """Put a call into the inbox and wake the loop; may be called from any thread."""
        self.inbox.append(fn)
        self.served = WORK
        self._operations.unusual = True
        loop = self.home
        if loop is not None:
            try:
                loop.call_soon_threadsafe(self.serve_inbox)
            except RuntimeError:
                return  # The loop is closed. The call waits in the inbox for the next use of the container.

    def serve_inbox(self) -> None:
        """Make the calls of other threads, the first one first, unless an operation is under way: then at its end."""
        if not self.inbox or self._operations.depth or self._inbox_runs:
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
            if calls:
                self.serve_inbox_soon()

    def serve_inbox_soon(self) -> None:
        """Make the calls of other threads on the next turn of the running loop."""
        loop = running_loop()
        if loop is not None and self.inbox:
            loop.call_soon(self.serve_inbox)

    def serve_inbox_after_operation(self) -> None:
        """Make the calls that were refused while an operation was under way: now, or on the next turn of the loop."""
        if running_loop() is None:
            self.serve_inbox()
        else:
            self.serve_inbox_soon()

    def close(self) -> None:
        """Cancel all timers."""
        if self._timers is not None:
            self._timers.close()
