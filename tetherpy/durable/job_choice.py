"""The rule of a JobProvider: which job it shows, and when it enqueues a new one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum
from types import MappingProxyType
from typing import Final

import attrs

from tetherpy.jobs import BackgroundJob, BackgroundJobStatus


class Reason(Enum):
    """Why a JobProvider is built."""

    FIRST = "its first build: the app starts, or the value was disposed before"
    CHANGED = "a provider that it watches has changed"
    AUTOMATIC = "a retry, new overrides, or another event loop"
    MANUAL = "it was invalidated or refreshed"


class Found(Enum):
    """The state of the latest job with the provider's identity."""

    NOTHING = "there is no job"
    UNFINISHED = "it waits or runs"
    LEFT = "it was cancelled because its provider was disposed"
    COMPLETED = "it has a result"
    EXPIRED = "it has a result that is older than max_age"
    FAILED = "it has failed"
    FAILED_FOR_GOOD = "it has failed, and the provider does not retry failed jobs"
    CANCELLED = "it was cancelled by a user or another process"


class Answer(Enum):
    """What the provider does."""

    SHOW = "show that job"
    RUN = "enqueue a job and show it"


def _row(first: Answer, changed: Answer, automatic: Answer, manual: Answer) -> Mapping[Reason, Answer]:
    return MappingProxyType(
        {Reason.FIRST: first, Reason.CHANGED: changed, Reason.AUTOMATIC: automatic, Reason.MANUAL: manual}
    )


_SHOW, _RUN = Answer.SHOW, Answer.RUN

ANSWERS: Final[Mapping[Found, Mapping[Reason, Answer]]] = MappingProxyType(
    {
        #                         FIRST  CHANGED AUTOMATIC MANUAL
        Found.NOTHING: _row(_RUN, _RUN, _RUN, _RUN),
        Found.UNFINISHED: _row(_SHOW, _SHOW, _SHOW, _SHOW),
        Found.LEFT: _row(_RUN, _RUN, _RUN, _RUN),
        Found.COMPLETED: _row(_SHOW, _SHOW, _SHOW, _RUN),
        Found.EXPIRED: _row(_RUN, _RUN, _RUN, _RUN),
        Found.FAILED: _row(_RUN, _SHOW, _SHOW, _RUN),
        Found.FAILED_FOR_GOOD: _row(_SHOW, _SHOW, _SHOW, _RUN),
        Found.CANCELLED: _row(_SHOW, _SHOW, _SHOW, _RUN),
    }
)
"""What a provider does, by the job it has found and the reason of the build."""

_BY_STATUS: Final[Mapping[BackgroundJobStatus, Found]] = MappingProxyType(
    {
        BackgroundJobStatus.PENDING: Found.UNFINISHED,
        BackgroundJobStatus.RUNNING: Found.UNFINISHED,
        BackgroundJobStatus.COMPLETED: Found.COMPLETED,
        BackgroundJobStatus.FAILED: Found.FAILED,
        BackgroundJobStatus.CANCELLED: Found.CANCELLED,
    }
)


def is_cancelled(job: BackgroundJob) -> bool:
    """Tell whether a job was cancelled, or was asked to stop and has not ended."""
    if job.status.is_finished:
        return job.status is BackgroundJobStatus.CANCELLED
    return job.cancel_requested_at is not None


@attrs.frozen(kw_only=True)
class Rules:
    """What a provider declares about the jobs that it finds."""

    cancel_on_dispose: bool = False
    retry_failed: bool = True
    max_age: timedelta | None = None


def found(job: BackgroundJob | None, rules: Rules, now: datetime, *, known_as_cancelled: bool) -> Found:
    """Classify the latest job.

    ``known_as_cancelled`` says whether the value has shown this job as cancelled: then it was not cancelled by the
    provider, which does so only when disposed.
    """
    if job is None:
        return Found.NOTHING
    if rules.cancel_on_dispose and not known_as_cancelled and is_cancelled(job):
        return Found.LEFT
    if job.status is BackgroundJobStatus.FAILED and not rules.retry_failed:
        return Found.FAILED_FOR_GOOD
    if job.status is BackgroundJobStatus.COMPLETED and rules.max_age is not None:
        finished_at = job.finished_at or job.updated_at
        return Found.EXPIRED if now - finished_at > rules.max_age else Found.COMPLETED
    return _BY_STATUS[job.status]


def answer(latest: Found, reason: Reason) -> Answer:
    """Return whether to show the latest job or to run one."""
    return ANSWERS[latest][reason]
