"""A writer that applies changes to one storage key in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import attrs

from ..graph.element import NO_VALUE, Host
from ..lifecycle.running_loop import running_loop


@attrs.define(eq=False)
class Change:
    """A write or a delete that waits until it is applied or a newer change replaces it."""

    host: Host
    provider: object
    apply: Callable[[], Coroutine[Any, Any, None]]
    data: object = NO_VALUE
    is_reported: bool = False

    def report(self, error: BaseException) -> None:
        """Report the first failure; failures of later attempts are not reported."""
        if not self.is_reported:
            self.is_reported = True
            self.host.report(error, self.provider)


class Writer:
    """Applies changes to the data under one storage key: one at a time, the newest last.

    All builds and providers that use the key share one writer. A failed change is retried when the build ends. A
    change interrupted by the end of its event loop, or made while no loop runs, is applied in the next loop that uses
    the container.
    """

    __slots__ = ("__weakref__", "_applied", "_newest", "_task", "_tried", "is_checked", "is_protected", "keepers")

    def __init__(self) -> None:
        self.keepers: list[Any] = []
        #: Whether the version of the stored data is known.
        self.is_checked = False
        #: Whether the stored data must not be overwritten.
        self.is_protected = False
        self._newest: Change | None = None
        self._tried: Change | None = None
        self._applied: Change | None = None
        self._task: asyncio.Task[None] | None = None

    def has(self, data: object) -> bool:
        """Whether the newest change writes this very object."""
        return self._newest is not None and self._newest.data is data

    def put(self, change: Change) -> None:
        """Apply a change as soon as possible; it replaces a change that is still waiting."""
        self._newest = change
        self._start()

    async def settle(self) -> None:
        """Wait until the newest change has been tried."""
        while self._newest is not self._tried:
            self._start()
            if self._task is not None:
                await asyncio.wait([self._task])

    def finish(self) -> bool:
        """Start the unapplied change, also after a failure; return whether ``settle`` would wait."""
        if self._newest is self._applied:
            return False
        if self._newest is self._tried:
            self._tried = None
        self._start()
        return True

    def _start(self) -> None:
        loop, change = running_loop(), self._newest
        if change is None or change is self._tried:
            return
        if loop is None:
            change.host.scheduler.loops.call_in_next_loop(self, self._start)
        elif self._task is None or self._task.done() or self._task.get_loop() is not loop:
            # Not loop.create_task: an eager task would begin inside the build or the announcement that asked for it.
            self._task = asyncio.Task(self._apply_all(), loop=loop)

    async def _apply_all(self) -> None:
        while (change := self._newest) is not None and change is not self._tried:
            try:
                await change.apply()
            except BaseException as error:
                task = asyncio.current_task()
                if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                    raise  # the loop ends: the change is tried in the next one
                change.report(error)
                self._tried = change
                if isinstance(error, (KeyboardInterrupt, SystemExit)):
                    raise
            else:
                self._applied = self._tried = change
