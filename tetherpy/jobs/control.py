"""What a handler raises to end its attempt otherwise than by success or an ordinary failure."""

from __future__ import annotations

from datetime import timedelta


class DoNotRetry(Exception):  # noqa: N818 - control flow, named by the public contract
    """Make the job FAILED now, whatever attempts are left; the message becomes ``last_error``."""


class Snooze(Exception):  # noqa: N818 - control flow, named by the public contract
    """Make the job PENDING again after ``delay``; this attempt is not counted.

    ``delay`` is a ``timedelta`` or seconds, and must not be negative.
    """

    def __init__(self, delay: timedelta | float) -> None:
        self.delay = delay if isinstance(delay, timedelta) else timedelta(seconds=delay)
        if self.delay < timedelta(0):
            message = f"A job cannot be snoozed into the past: delay is {self.delay}. Use zero or more."
            raise ValueError(message)
        super().__init__(f"snoozed for {self.delay}")


class CancelJob(Exception):  # noqa: N818 - control flow, named by the public contract
    """Make the job CANCELLED now; ``reason`` becomes ``last_error``."""

    def __init__(self, reason: str = "cancelled by its handler") -> None:
        self.reason = reason
        super().__init__(reason)
