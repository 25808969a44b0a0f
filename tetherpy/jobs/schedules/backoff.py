"""How long a failed job waits before its next attempt."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import timedelta

import attrs

from tetherpy.durations import to_span

_FULL_SHARE = 1.0


def _initial(value: timedelta | float) -> timedelta:
    return to_span("Backoff.initial", value, most=timedelta.max)


def _maximum(value: timedelta | float) -> timedelta:
    return to_span("Backoff.maximum", value, most=timedelta.max)


@attrs.frozen
class Backoff:
    """Wait ``initial``, then ``factor`` times longer per attempt, never beyond ``maximum``.

    ``jitter`` is the share of the wait that is left to chance, 0 to 1: with 0.5 the wait lies
    between half of the computed one and all of it, so that jobs that failed together do not
    come back together. Durations are a ``timedelta`` or seconds, and not negative (``DurationError``).
    """

    initial: timedelta = attrs.field(default=timedelta(seconds=1), converter=_initial)
    factor: float = attrs.field(default=2.0, validator=[attrs.validators.ge(1.0), attrs.validators.lt(math.inf)])
    maximum: timedelta = attrs.field(default=timedelta(hours=1), converter=_maximum)
    jitter: float = attrs.field(default=0.1, validator=[attrs.validators.ge(0.0), attrs.validators.le(_FULL_SHARE)])

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
