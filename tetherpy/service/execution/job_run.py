"""One attempt of one job, while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from enum import Enum

import attrs

from tetherpy.jobs import Claim, Outcome

from .handlers import JobHandler


class Interruption(Enum):
    """Say why an attempt is asked to end before it is done."""

    TIMED_OUT = "timed out"
    CANCELLED = "cancelled"
    RELEASED = "released"


@attrs.define(eq=False)
class JobRun:
    """Hold the claim, what interrupted it, and whether its outcome is decided.

    ``seen`` is set when the handler asked and was told that it should end: what it returns after
    that is no result. ``acknowledged`` attempts that still run are those that ignore their end; they
    keep their slot, because they keep their thread or task. ``cancellable`` is set while the handler runs in the loop:
    a thread cannot be cancelled, and its task must not stop waiting for it. ``completed`` is set when the handler
    completed the job in its own transaction, whether that was committed or not. ``on_end`` is awaited, last first,
    when the handler has ended, with the error that ended it or None.
    """

    claim: Claim
    handler: JobHandler | None = None
    interruption: Interruption | None = None
    seen: bool = False
    acknowledged: bool = False
    completed: bool = False
    task: asyncio.Task[Outcome] | None = None
    cancellable: bool = False
    timeout: timedelta | None = None
    timer: asyncio.TimerHandle | None = None
    on_end: list[Callable[[BaseException | None], Awaitable[None]]] = attrs.field(
        factory=list[Callable[[BaseException | None], Awaitable[None]]]
    )

    @property
    def cancelled(self) -> bool:
        """Tell the handler whether it should end."""
        if self.interruption is None:
            return False
        self.seen = True
        return True

    @property
    def why(self) -> str:
        """Say why the attempt was asked to end."""
        return "" if self.interruption is None else self.interruption.value

    def interrupt(self, why: Interruption) -> None:
        """Ask the attempt to end, unless something else did so before: the first reason stands."""
        if self.interruption is not None:
            return
        self.interruption = why
        if self.task is not None and self.cancellable:
            self.task.cancel()
