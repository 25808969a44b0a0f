"""Work that a test's event loop waits for, and that does not depend on its clock: threads, sockets, child processes."""

from __future__ import annotations

import asyncio
import selectors
import threading
from collections.abc import Callable, Generator
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import attrs

from .driven_loop import DrivenLoop

_GRACE_SECONDS = 0.25
"""How long a thread or a socket that may be idle gets, in real time, before the clock moves."""


@attrs.define(eq=False)
class OutsideWork:
    """Tell whether something else than the clock can wake the event loop.

    A call in an executor and a socket that is written to will wake it. A thread of the app and a socket that is read
    may: an idle connection cannot be told from one that an answer will come from. ``known`` are threads and file
    descriptors that do not count, because what they work on is known otherwise.
    """

    _driven: DrivenLoop
    _known: AbstractSet[threading.Thread | int]
    _calls: int = attrs.field(init=False, default=0)

    @contextmanager
    def counted(self) -> Generator[None]:
        """Count the calls in executors that begin in the block."""
        loop = self._driven.loop
        run_in_executor: Callable[..., asyncio.Future[Any]] = loop.run_in_executor

        def counting(*args: Any) -> asyncio.Future[Any]:
            call = run_in_executor(*args)
            self._calls += 1
            call.add_done_callback(ended)
            return call

        def ended(call: asyncio.Future[Any]) -> None:
            self._calls -= 1

        loop.run_in_executor = counting
        try:
            yield
        finally:
            del loop.run_in_executor

    async def wait(self) -> bool:
        """Wait in real time for work that will or may wake the loop; return whether it has woken it.

        It returns False at once if there is none, and after a quarter of a second without an event if there may be
        some.
        """
        files = {file: events for file, events in self._driven.watched_files.items() if file not in self._known}
        if self._calls or any(events & selectors.EVENT_WRITE for events in files.values()):
            return await self._driven.event(None)
        if files or self._unknown_threads():
            return await self._driven.event(_GRACE_SECONDS)
        return False

    async def event(self) -> None:
        """Wait in real time until something wakes the loop."""
        await self._driven.event(None)

    def _unknown_threads(self) -> bool:
        return any(
            not (thread in self._known or isinstance(thread, threading.Timer) or _is_of_executor(thread))
            for thread in threading.enumerate()
        )


def _is_of_executor(thread: threading.Thread) -> bool:
    # The calls of executors are counted; their idle threads remain.
    target: Any = getattr(thread, "_target", None)
    return getattr(target, "__module__", None) == ThreadPoolExecutor.__module__
