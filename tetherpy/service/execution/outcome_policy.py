"""What an attempt comes to: from what the handler raised to the job's next state."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import attrs

from tetherpy.errors import leaves
from tetherpy.jobs import (
    CancelJob,
    Cancelled,
    Clock,
    DoNotRetry,
    Failed,
    JobTimeoutError,
    Outcome,
    PayloadError,
    Released,
    Snooze,
    Snoozed,
)

from .failure_text import describe, describe_traceback
from .job_run import Interruption, JobRun

THE_LAST_MOMENT = datetime.max.replace(tzinfo=UTC)


@attrs.frozen
class OutcomePolicy:
    """Decide outcomes; the clock and the chance in a retry's delay come from outside."""

    clock: Clock
    random: Callable[[], float] = random.random

    def outcome_of(self, run: JobRun, error: BaseException) -> Outcome:
        """Return what an attempt comes to that ended by raising; an exception group counts as what it holds."""
        held = list(leaves(error))
        final = next((one for one in held if isinstance(one, DoNotRetry | PayloadError)), None)
        if final is not None:
            return Failed(describe(final), describe_traceback(error))
        cancel = next((one for one in held if isinstance(one, CancelJob)), None)
        if cancel is not None:
            return Cancelled(cancel.reason)
        delays = [one.delay for one in held if isinstance(one, Snooze)]
        if delays and len(delays) == len(held):  # a failure beside it counts: it would be repeated without end
            return Snoozed(self._after(max(delays)))
        if run.interruption is not None:
            return self.interrupted(run)
        return self._failed(run, error)

    def hopeless(self, error: BaseException) -> Outcome:
        """Return the failure of an attempt that no other one could better."""
        return Failed(describe(error), describe_traceback(error))

    def interrupted(self, run: JobRun) -> Outcome:
        """Return what an attempt comes to that was asked to end."""
        match run.interruption:
            case Interruption.CANCELLED:
                return Cancelled("cancelled on request")
            case Interruption.TIMED_OUT if run.timeout is not None:
                return self._failed(run, JobTimeoutError(run.claim.id, run.timeout))
            case _:
                return Released()

    def _failed(self, run: JobRun, error: BaseException) -> Outcome:
        job = run.claim.job
        retry_at = None
        if run.handler is not None and job.attempts < job.max_attempts:
            retry_at = self._after(run.handler.retry.delay(job.attempts, self.random))
        return Failed(describe(error), describe_traceback(error), retry_at)

    def _after(self, delay: timedelta) -> datetime:
        try:
            return self.clock() + delay
        except OverflowError:
            # Beyond the calendar: until somebody moves the job by hand.
            return THE_LAST_MOMENT
