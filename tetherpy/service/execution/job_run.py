"""A running attempt of a job."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from enum import Enum

import attrs

from tetherpy.jobs import Claim, Outcome

from ..logs.attempt_log import AttemptLog
from .handlers import JobHandler


class Interruption(Enum):
    """The reason why an attempt is asked to end early."""

    TIMED_OUT = "timed out"
    CANCELLED = "cancelled"
    RELEASED = "released"


@attrs.define(eq=False)
class JobRun:
    """The state of a running attempt.

    Attributes:
        started: the time of the loop at the start.
        error: what the handler raised, or None.
        interruption: the reason why it was asked to end, or None.
        seen: the handler has read that it should end; its result is ignored from then on.
        acknowledged: the outcome is decided. A handler that still runs keeps its slot, because it keeps its thread or
            task.
        completed: the handler completed the job in a transaction, which may have been rolled back.
        cancellable: the handler runs in the loop. A thread cannot be cancelled, and its task must wait for it.
        on_end: awaited in reverse order when the handler has ended, with its error or None.
        on_thread_end: called before, in the thread of a plain handler.
    """

    claim: Claim
    log: AttemptLog
    started: float
    handler: JobHandler | None = None
    error: BaseException | None = None
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
    on_thread_end: list[Callable[[BaseException | None], object]] = attrs.field(
        factory=list[Callable[[BaseException | None], object]]
    )

    @property
    def cancelled(self) -> bool:
        """Tell the handler whether it should end, and record that it knows."""
        if self.interruption is None:
            return False
        self.seen = True
        return True

    @property
    def early_end(self) -> asyncio.CancelledError | None:
        """Return the error for what the handler has opened, if it ended because it was asked to, or too late."""
        if self.seen or self.acknowledged:
            return asyncio.CancelledError(f"The job has ended because it was {self.why}.")
        return None

    def end_in_thread(self, error: BaseException | None) -> BaseException | None:
        """Call what ends in the thread of a plain handler, with its error; return the last error of these calls."""
        passed = error or self.early_end
        failure = None
        for callback in reversed(self.on_thread_end):
            try:
                callback(passed)
            except BaseException as raised:
                passed = failure = raised
        return failure

    @property
    def why(self) -> str:
        """Return the reason why the attempt was asked to end, as text."""
        return "" if self.interruption is None else self.interruption.value

    def interrupt(self, why: Interruption) -> None:
        """Ask the attempt to end; the first reason is kept."""
        if self.interruption is not None:
            return
        self.interruption = why
        if self.task is not None and self.cancellable:
            self.task.cancel()
