"""How long a failed job waits before its next attempt."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import timedelta

import attrs

from tetherpy.durations import to_span

from ..arguments import to_number
from ..errors import JobArgumentError

_FULL_SHARE = 1.0


def _initial(value: timedelta | float) -> timedelta:
    return to_span("Backoff.initial", value, most=timedelta.max)


def _maximum(value: timedelta | float) -> timedelta:
    return to_span("Backoff.maximum", value, most=timedelta.max)


def _check_factor(_: object, __: object, value: float) -> None:
    if not 1.0 <= to_number("Backoff.factor", value) < math.inf:
        raise JobArgumentError("Backoff.factor", value, "it must be at least 1, and finite")


def _check_jitter(_: object, __: object, value: float) -> None:
    if not 0.0 <= to_number("Backoff.jitter", value) <= _FULL_SHARE:
        raise JobArgumentError("Backoff.jitter", value, "it must be from 0 to 1")


@attrs.frozen
class Backoff:
    """Wait ``initial``, then ``factor`` times longer per attempt, never beyond ``maximum``.

    ``jitter`` is the share of the wait that is left to chance, 0 to 1: with 0.5 the wait lies
    between half of the computed one and all of it, so that jobs that failed together do not
    come back together. Durations are a ``timedelta`` or seconds, and not negative (``DurationError``).
    """

    initial: timedelta = attrs.field(default=timedelta(seconds=1), converter=_initial)
    factor: float = attrs.field(default=2.0, validator=_check_factor)
    maximum: timedelta = attrs.field(default=timedelta(hours=1), converter=_maximum)
    jitter: float = attrs.field(default=0.1, validator=_check_jitter)

    def delay(self, attempts: int, random: Callable[[], float] = random.random) -> timedelta:
        """Return the wait after the attempt numbered ``attempts``, counted from 1.

        ``random`` returns a number in [0, 1); tests hand in their own.
        """
        whole = self._whole_wait(max(attempts, 1))
        return whole * (_FULL_SHARE - self.jitter * random())

    def _whole_wait(self, attempts: int) -> timedelta:
        seconds = self.initial.total_seconds()
        limit = self.maximum.total_seconds()
        try:
            return timedelta(seconds=min(seconds * self.factor ** (attempts - 1), limit))
        except OverflowError:
            return self.maximum if seconds else timedelta(0)
