"""Decide the outcome of an attempt that raised or was interrupted.

``tetherpy.jobs.transitions.end_of`` turns an outcome into a status.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import attrs

from tetherpy.errors import leaves
from tetherpy.jobs import (
    CancelJob,
    Cancelled,
    DoNotRetry,
    Failed,
    JobTimeoutError,
    Outcome,
    PayloadError,
    Released,
    Snooze,
    Snoozed,
    WallClock,
)

from .failure_text import describe, describe_traceback
from .job_run import Interruption, JobRun

THE_LAST_MOMENT = datetime.max.replace(tzinfo=UTC)


@attrs.frozen
class OutcomePolicy:
    """Decide outcomes. The clock and the random jitter of retry delays are parameters."""

    clock: WallClock
    random: Callable[[], float] = random.random

    def outcome_of(self, run: JobRun, error: BaseException) -> Outcome:
        """Return the outcome of an attempt that raised; of an exception group, each contained error counts."""
        held = list(leaves(error))
        final = next((one for one in held if isinstance(one, DoNotRetry | PayloadError)), None)
        if final is not None:
            return Failed(describe(final), describe_traceback(error))
        cancel = next((one for one in held if isinstance(one, CancelJob)), None)
        if cancel is not None:
            return Cancelled(cancel.reason)
        delays = [one.delay for one in held if isinstance(one, Snooze)]
        if delays and len(delays) == len(held):  # another error in the group is a failure: snoozing has no limit
            return Snoozed(self._after(max(delays)))
        if run.interruption is not None:
            return self.interrupted(run)
        return self._failed(run, error)

    def final_failure(self, error: BaseException) -> Outcome:
        """Return a failure without a retry."""
        return Failed(describe(error), describe_traceback(error))

    def interrupted(self, run: JobRun) -> Outcome:
        """Return the outcome of an attempt that was asked to end."""
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
            policy = job.retry or run.handler.retry
            if policy.allows(job.attempts, error):
                retry_at = self._after(policy.delay(job.attempts, self.random))
        return Failed(describe(error), describe_traceback(error), retry_at)

    def _after(self, delay: timedelta) -> datetime:
        try:
            return self.clock() + delay
        except OverflowError:
            # Beyond the calendar: the job waits until it is retried manually.
            return THE_LAST_MOMENT
