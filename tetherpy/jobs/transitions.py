"""The rules of a job's life cycle: how each event changes a job, in Python and as SQL for both engines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TypeAlias

import attrs

from .arguments import to_status
from .errors import IllegalJobTransitionError, JobRunningError
from .model import DEFAULT_MAX_ATTEMPTS, BackgroundJob, JobAttempt
from .outcomes import Cancelled, Completed, Failed, Outcome, Released, Snoozed
from .status import LEGAL_MOVES, BackgroundJobStatus

PENDING, FAILED, CANCELLED = BackgroundJobStatus.PENDING, BackgroundJobStatus.FAILED, BackgroundJobStatus.CANCELLED


def is_legal_move(source: BackgroundJobStatus | str, target: BackgroundJobStatus | str) -> bool:
    """Return whether a job may change from ``source`` to ``target``; raise ``UnknownStatusError`` for other texts."""
    return to_status(target) in LEGAL_MOVES[to_status(source)]


@attrs.frozen
class Condition:
    """A property of a RUNNING job that decides its next status: as Python, and as SQL over its columns."""

    holds: Callable[[BackgroundJob], bool]
    sql: str


CANCEL_REQUESTED = Condition(lambda job: job.cancel_requested_at is not None, "{0}cancel_requested_at IS NOT NULL")
ATTEMPTS_USED_UP = Condition(
    lambda job: job.attempts >= job.max_attempts,
    f"coalesce({{0}}attempts, 0) >= coalesce({{0}}max_attempts, {DEFAULT_MAX_ATTEMPTS})",
)

Rules: TypeAlias = tuple[tuple[Condition, BackgroundJobStatus], ...]
"""Conditions in the order in which they are checked, with the status that each leads to; PENDING if none holds."""

AFTER_RELEASE: Rules = ((CANCEL_REQUESTED, CANCELLED),)
"""A job that would run again: after a failed attempt, a snooze or a release."""
AFTER_RESCUE: Rules = ((CANCEL_REQUESTED, CANCELLED), (ATTEMPTS_USED_UP, FAILED))
"""A job whose worker died or let the lease expire; the attempt counts."""

UNKNOWN_WORKER = "an unknown worker"
_RESCUE_ERROR_SQL = (
    f"{{1}} || ': ' || coalesce({{0}}claimed_by, '{UNKNOWN_WORKER}') || ' did not finish attempt ' "
    "|| coalesce({0}attempts, 0)"
)


def case_of(rules: Rules, names: Mapping[BackgroundJobStatus, str], table: str = "") -> str:
    """Return the rules as an SQL CASE with an engine's names of the statuses; ``table`` is a prefix like "job."."""
    steps = " ".join(f"WHEN {condition.sql.format(table)} THEN '{names[status]}'" for condition, status in rules)
    return f"CASE {steps} ELSE '{names[PENDING]}' END"


def rescue_error_sql(outcome: str, table: str = "") -> str:
    """Return the SQL of the error that a rescue stores; ``outcome`` is the placeholder of the attempt's outcome."""
    return _RESCUE_ERROR_SQL.format(table, outcome)


@attrs.frozen(kw_only=True)
class AttemptEnd:
    """The end of an attempt: its outcome in the list of attempts, and the status that the job gets.

    ``run_at`` is None if it does not change. An attempt that is not ``counted`` leaves its number to the next one.
    """

    outcome: str
    status: BackgroundJobStatus
    counted: bool = True
    result_json: str | None = None
    error: str | None = None
    traceback: str | None = None
    run_at: datetime | None = None

    @property
    def status_if_cancelled(self) -> BackgroundJobStatus:
        """Return the status of a job whose cancellation was requested: it does not run again."""
        return CANCELLED if self.status is PENDING else self.status


def end_of(outcome: Outcome) -> AttemptEnd:
    """Return how an outcome ends its attempt."""
    match outcome:
        case Completed(result):
            return AttemptEnd(outcome="completed", status=BackgroundJobStatus.COMPLETED, result_json=result)
        case Failed(error, traceback, None):
            return AttemptEnd(outcome="failed", status=FAILED, error=error, traceback=traceback)
        case Failed(error, traceback, retry_at):
            return AttemptEnd(outcome="failed", status=PENDING, error=error, traceback=traceback, run_at=retry_at)
        case Cancelled(reason):
            return AttemptEnd(outcome="cancelled", status=CANCELLED, error=reason)
        case Snoozed(run_at):
            return AttemptEnd(outcome="snoozed", status=PENDING, run_at=run_at, counted=False)
        case Released():
            return AttemptEnd(outcome="released", status=PENDING, counted=False)


@attrs.frozen
class Transition:
    """A job as it is stored after an event, and the attempt that ended with it."""

    job: BackgroundJob
    attempt: JobAttempt | None = None


def after_outcome(job: BackgroundJob, outcome: Outcome, now: datetime) -> Transition:
    """Apply the outcome of the attempt that a worker holds."""
    end = end_of(outcome)
    released = end.status is PENDING
    status = _next_status(AFTER_RELEASE, job) if released else end.status
    after = attrs.evolve(
        job,
        status=status,
        attempts=job.attempts if end.counted else job.attempts - 1,
        result_json=end.result_json,
        last_error=end.error if end.error is not None or not released else job.last_error,
        run_at=job.run_at if end.run_at is None else end.run_at,
        finished_at=now if status.is_finished else None,
        progress=None if released else job.progress,
        progress_message=None if released else job.progress_message,
        updated_at=now,
        claimed_by=None,
        lease_expires_at=None,
    )
    return Transition(after, ended_attempt(job, end.outcome, end.error, now, end.traceback))


def after_rescue(job: BackgroundJob, outcome: str, now: datetime) -> Transition:
    """Take a RUNNING job from its worker; ``outcome`` is "worker died" or "lease expired"."""
    error = f"{outcome}: {job.claimed_by or UNKNOWN_WORKER} did not finish attempt {job.attempts}"
    status = _next_status(AFTER_RESCUE, job)
    after = attrs.evolve(
        job,
        status=status,
        last_error=error,
        run_at=min(job.run_at, now),
        finished_at=now if status.is_finished else None,
        progress=None,
        progress_message=None,
        updated_at=now,
        claimed_by=None,
        lease_expires_at=None,
    )
    return Transition(after, ended_attempt(job, outcome, error, now))


def after_move(
    job: BackgroundJob, status: BackgroundJobStatus, error: str | None, now: datetime, lease: timedelta
) -> Transition:
    """Move a job manually; a worker that held it loses its claim, and a job made RUNNING has one lease's time.

    Raises ``IllegalJobTransitionError`` for a move that ``LEGAL_MOVES`` does not have.
    """
    if not is_legal_move(job.status, status):
        raise IllegalJobTransitionError(job.id, job.status, status)
    starts = status is BackgroundJobStatus.RUNNING
    after = attrs.evolve(
        _again(job, now) if job.status.is_finished else job,
        status=status,
        attempts=job.attempts + 1 if starts else job.attempts,
        last_attempt_at=now if starts else job.last_attempt_at,
        last_error=job.last_error if error is None else error,
        finished_at=now if status.is_finished else None,
        lease_expires_at=now + lease if starts else None,
        # A request is for the run that it met: a later run must not end because of it.
        cancel_requested_at=job.cancel_requested_at if status.is_finished else None,
        updated_at=now,
        claimed_by=None,
    )
    if job.status is not BackgroundJobStatus.RUNNING:
        return Transition(after)
    outcome = "released" if status is PENDING else status.value.lower()
    return Transition(after, ended_attempt(job, outcome, error, now))


def after_cancel(job: BackgroundJob, now: datetime) -> Transition:
    """Cancel a PENDING job, request it of a RUNNING one; a CANCELLED one does not change.

    Raises ``IllegalJobTransitionError`` for a job that ended otherwise.
    """
    if job.status is CANCELLED:
        return Transition(job)
    if job.status is BackgroundJobStatus.RUNNING:
        return Transition(attrs.evolve(job, cancel_requested_at=job.cancel_requested_at or now, updated_at=now))
    return after_move(job, CANCELLED, None, now, timedelta(0))


def after_retry(job: BackgroundJob, reset_attempts: bool, now: datetime) -> Transition:
    """Make a finished job PENDING, due now; with ``reset_attempts`` as if it had never run.

    Raises ``JobRunningError`` or ``IllegalJobTransitionError`` for a job that is not finished.
    """
    if job.status is BackgroundJobStatus.RUNNING:
        raise JobRunningError(f"Job {job.id}", "retried")
    after = after_move(job, PENDING, None, now, timedelta(0)).job
    return Transition(attrs.evolve(after, attempts=0, last_error=None) if reset_attempts else after)


def _again(job: BackgroundJob, now: datetime) -> BackgroundJob:
    return attrs.evolve(
        job, run_at=now, result_json=None, progress=None, progress_message=None, cancel_requested_at=None
    )


def _next_status(rules: Rules, job: BackgroundJob) -> BackgroundJobStatus:
    return next((status for condition, status in rules if condition.holds(job)), PENDING)


def ended_attempt(
    job: BackgroundJob,
    outcome: str,
    error: str | None,
    now: datetime,
    traceback: str | None = None,
    logs: str | None = None,
) -> JobAttempt:
    """Return the attempt of a RUNNING job as it is listed after its end."""
    return JobAttempt(
        job_id=job.id,
        attempt=job.attempts,
        worker=job.claimed_by,
        started_at=job.last_attempt_at,
        finished_at=now,
        outcome=outcome,
        error=error,
        traceback=traceback,
        logs=logs,
    )
