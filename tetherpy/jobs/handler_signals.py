"""Exceptions with which a handler ends its attempt other than by success or an ordinary failure.

An exception group, as a TaskGroup raises, counts as the exceptions it contains: DoNotRetry before CancelJob, and Snooze
only if nothing else is in it.
"""

from __future__ import annotations

from datetime import timedelta

from tetherpy.durations import to_span
from tetherpy.errors import PortableError


class DoNotRetry(PortableError):  # noqa: N818 - control flow, named by the public contract
    """Make the job FAILED without using its remaining attempts; the message becomes ``last_error``."""


class Snooze(PortableError):  # noqa: N818 - control flow, named by the public contract
    """Make the job PENDING again after ``delay``; this attempt is not counted.

    ``delay`` is a ``timedelta`` or seconds, and must not be negative (``DurationError``).
    """

    def __init__(self, delay: timedelta | float) -> None:
        self.delay = to_span("Snooze.delay", delay, most=timedelta.max)
        super().__init__(f"snoozed for {self.delay}")


class CancelJob(PortableError):  # noqa: N818 - control flow, named by the public contract
    """Make the job CANCELLED now; ``reason`` becomes ``last_error``."""

    def __init__(self, reason: str = "cancelled by its handler") -> None:
        self.reason = reason
        super().__init__(reason)
