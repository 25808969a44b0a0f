"""The kinds of jobs and how each must end, however often its workers die."""

from datetime import timedelta

import attrs

from tetherpy.jobs import BackgroundJobStatus

COMPLETED, FAILED = BackgroundJobStatus.COMPLETED, BackgroundJobStatus.FAILED
AS_OFTEN_AS_IT_TAKES = 10_000
LEASE = timedelta(seconds=1)


@attrs.frozen
class Kind:
    """One kind: its key is its handler's name in ``worker``."""

    key: str
    weight: int
    ends: BackgroundJobStatus = COMPLETED
    max_attempts: int = AS_OFTEN_AS_IT_TAKES


KINDS = (
    Kind("exactly_once", 6),
    Kind("at_least_once", 4),
    Kind("slow", 4),
    Kind("in_thread", 3),
    Kind("fails_first", 3),
    Kind("snoozes", 2),
    Kind("fails", 2, FAILED, 2),
    Kind("hopeless", 1, FAILED),
    Kind("poison", 1, FAILED, 2),
)
BY_KEY = {kind.key: kind for kind in KINDS}
EFFECTS_EXACTLY_ONCE = "exactly_once"
EFFECTS_AT_LEAST_ONCE = "at_least_once"
