"""The data of a job: to enqueue (``NewJob``) and as stored (``BackgroundJob``, ``JobAttempt``)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Generic, TypeAlias, TypedDict, TypeVar

import attrs

from tetherpy.database import AppTransaction
from tetherpy.durations import to_optional_span

from .arguments import to_string
from .definitions.job_id import R_co
from .definitions.options import option, options_of
from .errors import JobArgumentError
from .payload.encoding import decode, decode_as
from .schedules.backoff import Backoff
from .status import BackgroundJobStatus

T = TypeVar("T")

DEFAULT_MAX_ATTEMPTS = 3

Names: TypeAlias = "Collection[str] | None"
"""Queues or job keys that a worker takes; None is all."""


@attrs.frozen(kw_only=True)
class BackgroundJob:
    """A stored job; every instant is aware and in UTC.

    Payload and result keep the JSON text of the row and are decoded on access, so a list of jobs costs no decoding and
    an invalid payload does not break the list.
    """

    id: int
    job_key: str
    payload_json: str | None = None
    status: BackgroundJobStatus
    attempts: int = 0
    max_attempts: int = DEFAULT_MAX_ATTEMPTS
    last_attempt_at: datetime | None = None
    last_error: str | None = None
    priority: int = 0
    created_at: datetime
    updated_at: datetime
    queue: str = "default"
    run_at: datetime
    timeout: timedelta | None = None
    unique_key: str | None = None
    claimed_by: str | None = None
    lease_expires_at: datetime | None = None
    progress: float | None = None
    progress_message: str | None = None
    result_json: str | None = None
    finished_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    retry: Backoff | None = None
    meta_json: str | None = None
    version: str | None = None

    @property
    def meta(self) -> Mapping[str, str]:
        """Decode the meta; empty if the job has none. Raise ``PayloadDecodeError`` if it is no object of strings."""
        if self.meta_json is None:
            return {}
        return decode_as(self.meta_json, dict[str, str], f"meta of job {self.id}")

    @property
    def payload(self) -> Any:
        """Decode the payload as plain JSON; raise ``PayloadDecodeError`` if it is not JSON."""
        return decode(self.payload_json)

    @property
    def result(self) -> Any:
        """Decode the handler's result as plain JSON; None until the job is COMPLETED."""
        return decode(self.result_json)

    def payload_as(self, annotation: type[T]) -> T:
        """Decode the payload as ``annotation``; raise ``PayloadDecodeError`` with the path if it does not fit."""
        return decode_as(self.payload_json, annotation)

    def result_as(self, annotation: type[T]) -> T:
        """Decode the result as ``annotation``; raise ``PayloadDecodeError`` with the path if it does not fit."""
        return decode_as(self.result_json, annotation, f"result of job {self.id}")


def _delay(value: timedelta | float | None) -> timedelta | None:
    return to_optional_span("NewJob.delay", value)


def _timeout(value: timedelta | float | None) -> timedelta | None:
    return to_optional_span("NewJob.timeout", value, positive=True)


class JobOptions(TypedDict, total=False):
    """The options of a job that may be the same for many jobs: those of a ``JobProvider`` too."""

    priority: int
    max_attempts: int
    queue: str
    timeout: timedelta | float | None
    meta: Mapping[str, str] | None
    retry: Backoff | None
    version: str | None


class NewJobOptions(JobOptions, total=False):
    """The optional fields of ``NewJob``, for functions that pass them on."""

    delay: timedelta | float | None
    run_at: datetime | None
    unique_key: str | None


class EnqueueOptions(NewJobOptions, total=False):
    """The keyword arguments of ``BackgroundJobManager.enqueue``; each may be omitted.

    ``async def enqueue_greet(manager, payload: Greeting, **options: Unpack[EnqueueOptions])`` passes them on.
    """

    transaction: AppTransaction | None


class DefinitionOptions(NewJobOptions, total=False):
    """The options of a ``JobDefinition``: those of its jobs, and those of its handler."""


@attrs.frozen(kw_only=True)
class NewJob(Generic[R_co]):
    """Ask for a job; nothing is stored until it is enqueued.

    ``run_at`` (aware) or ``delay`` says when it may run first, at once if neither is given, and
    both is a ``JobArgumentError``. ``timeout`` bounds one attempt. Durations are a ``timedelta`` or
    seconds, never negative, a thousand years at most; others are a ``DurationError``. While a job with
    the same ``unique_key`` is PENDING or RUNNING, enqueueing another stores nothing and returns the id
    of the one that is there. ``meta`` is a mapping of strings, 4 KiB at most as JSON: it is stored with the job,
    can be searched for, and is not interpreted. ``retry`` replaces the retry policy of the handler, and its
    ``max_attempts``, if it has one, is that of the job. It is stored, with the classes in ``never`` and ``only`` by
    name. ``version`` names the version of the handler that the job is meant for. It is stored and shown, and a
    ``JobProvider`` of another version does not show the job. ``result_type`` is the type of the result;
    ``JobDefinition.new`` sets it.
    """

    job_key: str
    payload: object = None
    priority: int = attrs.field(default=0, metadata=option("integer", "Priority", "Higher runs first"))
    max_attempts: int = attrs.field(
        default=DEFAULT_MAX_ATTEMPTS,
        metadata=option("integer", "Max attempts", "Attempts before the job is FAILED", least=1),
    )
    delay: timedelta | None = attrs.field(
        default=None,
        converter=_delay,
        metadata=option("duration", "Delay", "Delay before the first attempt", stored=False),
    )
    run_at: datetime | None = attrs.field(
        default=None, metadata=option("instant", "Due", "Earliest start", stored=False)
    )
    queue: str = attrs.field(default="default", metadata=option("text", "Queue", "The queue that the job waits in"))
    timeout: timedelta | None = attrs.field(
        default=None, converter=_timeout, metadata=option("duration", "Timeout", "The time limit of one attempt")
    )
    unique_key: str | None = attrs.field(
        default=None,
        metadata=option(
            "text", "Unique key", "Deduplicates: while a job with this key is PENDING or RUNNING, none is added"
        ),
    )
    meta: Mapping[str, str] | None = attrs.field(default=None, metadata=option("pairs", "Meta", "To find the job by"))
    retry: Backoff | None = attrs.field(default=None, metadata=option("policy", "Retry", "The retry policy"))
    version: str | None = attrs.field(
        default=None, metadata=option("text", "Version", "The version of the handler that the job is meant for")
    )
    result_type: Any = attrs.field(default=Any, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if type(self.job_key) is not str:
            if callable(self.job_key):
                name = getattr(self.job_key, "__name__", "name")
                advice = f'it is a function; declare it with @background_job("{name}"), and enqueue the definition'
                raise JobArgumentError("NewJob.job_key", self.job_key, advice)
            object.__setattr__(self, "job_key", to_string("NewJob.job_key", self.job_key))
        if not self.job_key:
            raise JobArgumentError("NewJob.job_key", "", "it must not be empty")
        # Most options have their defaults: comparing with those costs less than a validator per field.
        for name, default, check in _CHECKS:
            value = getattr(self, name)
            if value is not default and (checked := check(value)) is not value:
                object.__setattr__(self, name, checked)
        if self.retry is not None and self.retry.max_attempts is not None:
            if self.max_attempts not in (DEFAULT_MAX_ATTEMPTS, self.retry.max_attempts):
                raise JobArgumentError(
                    "NewJob.max_attempts",
                    self.max_attempts,
                    f"retry has max_attempts={self.retry.max_attempts}; give one of them",
                )
            object.__setattr__(self, "max_attempts", self.retry.max_attempts)
        if self.delay is not None and self.run_at is not None:
            raise JobArgumentError("NewJob.run_at", self.run_at, "delay is given too; give one of them")


OPTIONS = options_of(NewJob)
"""The options of a job, in the order of the fields of ``NewJob``."""
_CHECKS = tuple((known.name, known.default, known.check) for known in OPTIONS)


ATTEMPTS_KEPT = 100
"""The number of attempts kept per job, the newest: a job that is snoozed for years does not fill the table."""


@attrs.frozen(kw_only=True)
class JobAttempt:
    """An attempt of a job; ``finished_at`` and ``outcome`` are None while it runs.

    ``outcome`` is "completed", "failed", "snoozed", "cancelled", "released", "worker died" or
    "lease expired".
    ``attempt`` is the number it had when it was claimed: snoozed and released attempts are not
    counted, so the next attempt has the same number. ``logs`` are the lines that its handler logged and printed, None
    without any.
    """

    job_id: int
    attempt: int
    worker: str | None
    started_at: datetime | None
    finished_at: datetime | None = None
    outcome: str | None = None
    error: str | None = None
    traceback: str | None = None
    logs: str | None = None


@attrs.frozen(kw_only=True)
class JobCounts:
    """The number of jobs in each state; ``unknown`` counts rows with any other status."""

    pending: int = 0
    running: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    unknown: int = 0

    @property
    def total(self) -> int:
        """Count all jobs."""
        return self.unknown + sum(self.by_status.values())

    @property
    def by_status(self) -> Mapping[BackgroundJobStatus, int]:
        """Return the counts keyed by status."""
        return MappingProxyType(
            {
                BackgroundJobStatus.PENDING: self.pending,
                BackgroundJobStatus.RUNNING: self.running,
                BackgroundJobStatus.COMPLETED: self.completed,
                BackgroundJobStatus.FAILED: self.failed,
                BackgroundJobStatus.CANCELLED: self.cancelled,
            }
        )


@attrs.frozen(kw_only=True)
class WorkerRecord:
    """A registered worker.

    ``job_keys`` are the keys that it has handlers for; None if it takes every key.
    """

    id: str
    pid: int
    host: str
    started_at: datetime
    heartbeat_at: datetime
    notification_title: str = ""
    notification_content: str = ""
    job_keys: frozenset[str] | None = None
