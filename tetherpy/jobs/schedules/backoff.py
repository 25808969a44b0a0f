"""The retry policy of jobs and providers: how often to try again, after which wait, and after which errors."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from datetime import timedelta
from inspect import isclass
from typing import Any, TypeAlias

import attrs
import msgspec

from tetherpy.durations import to_span
from tetherpy.errors import leaves

from ..arguments import check_bounds, to_integer, to_items, to_number
from ..errors import JobArgumentError

_FULL_SHARE = 1.0
_MICROSECOND = timedelta(microseconds=1)

ErrorKind: TypeAlias = type[BaseException] | str
"""A class of errors, or its name as ``"module:name"``: a name matches without an import of its module."""


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


def _attempts(value: int | None) -> int | None:
    if value is None:
        return None
    number = to_integer("Backoff.max_attempts", value)
    check_bounds("Backoff.max_attempts", number, least=1)
    return number


def _never(value: ErrorKind | Iterable[ErrorKind]) -> tuple[ErrorKind, ...]:
    return _kinds("Backoff.never", value)


def _only(value: ErrorKind | Iterable[ErrorKind] | None) -> tuple[ErrorKind, ...] | None:
    return None if value is None else _kinds("Backoff.only", value)


def _kinds(name: str, value: Any) -> tuple[ErrorKind, ...]:
    if isinstance(value, str) or isclass(value):
        value = (value,)
    given = to_items(name, value, "a class of exceptions, its name, or several of them")
    for kind in given:
        is_name = isinstance(kind, str) and ":" in kind
        if not is_name and not (isclass(kind) and issubclass(kind, BaseException)):
            raise JobArgumentError(name, kind, "it must be a class of exceptions, or its name as 'module:name'")
    return given


@attrs.frozen(kw_only=True)
class Backoff:
    """Try again after ``initial``, then after ``factor`` times longer per attempt, never beyond ``maximum``.

    It is the ``retry=`` of a job's definition, of ``register_job_handler``, of ``enqueue``, and of a provider.

    Args:
        initial: the wait after the first attempt. Durations are a ``timedelta`` or seconds, and not negative
            (``DurationError``).
        factor: by how much each wait is longer, at least 1.
        maximum: the longest wait.
        jitter: the share of the wait that is random, 0 to 1: with 0.5 the wait is between half of the computed one
            and all of it, so that what failed together does not try again together.
        max_attempts: the number of attempts, the first one included. None sets no limit for a provider, and keeps
            the job's ``max_attempts`` for a job.
        never: errors after which there is no retry: classes, or their names as ``"module:name"``.
        only: if given, a retry follows only these errors.

    Of an exception group, each contained error counts: one in ``never``, or one not in ``only``, ends the retries.
    """

    initial: timedelta = attrs.field(default=timedelta(seconds=1), converter=_initial)
    factor: float = attrs.field(default=2.0, validator=_check_factor)
    maximum: timedelta = attrs.field(default=timedelta(hours=1), converter=_maximum)
    jitter: float = attrs.field(default=0.1, validator=_check_jitter)
    max_attempts: int | None = attrs.field(default=None, converter=_attempts)
    never: tuple[ErrorKind, ...] = attrs.field(default=(), converter=_never)
    only: tuple[ErrorKind, ...] | None = attrs.field(default=None, converter=_only)

    def __call__(self, retry_count: int, error: Exception) -> timedelta | None:
        """Return the wait after ``retry_count`` retries and an error, None to give up: the policy of a provider."""
        if not self.allows(retry_count + 1, error):
            return None
        return self.delay(retry_count + 1)

    def allows(self, attempts: int, error: BaseException) -> bool:
        """Tell whether another attempt follows ``attempts`` of them, of which the last raised ``error``."""
        if self.max_attempts is not None and attempts >= self.max_attempts:
            return False
        found = list(leaves(error))
        if any(_is_one_of(leaf, self.never) for leaf in found):
            return False
        return self.only is None or all(_is_one_of(leaf, self.only) for leaf in found)

    def delay(self, attempts: int, random: Callable[[], float] = random.random) -> timedelta:
        """Return the wait after the attempt numbered ``attempts``, counted from 1.

        ``random`` returns a number in [0, 1); tests pass a different one. ``OutcomePolicy`` adds
        the wait to the clock.
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


def name_of(kind: type[BaseException]) -> str:
    """Return the name of a class as ``"module:name"``."""
    return f"{kind.__module__}:{kind.__qualname__}"


def _is_one_of(error: BaseException, kinds: tuple[ErrorKind, ...]) -> bool:
    classes = type(error).__mro__
    return any(
        isinstance(error, kind) if isinstance(kind, type) else any(name_of(cls) == kind for cls in classes)
        for kind in kinds
    )


@attrs.frozen
class _Stored:
    """A policy as JSON text; durations in microseconds, classes by name."""

    initial: int
    factor: float
    maximum: int
    jitter: float
    never: tuple[str, ...] = ()
    only: tuple[str, ...] | None = None


def to_json(policy: Backoff) -> str:
    """Return a policy as JSON text, without ``max_attempts``, which a job has.

    Raises ``JobArgumentError`` for a class that the worker cannot know by name: of ``__main__``, or of a function.
    """
    stored = _Stored(
        policy.initial // _MICROSECOND,
        policy.factor,
        policy.maximum // _MICROSECOND,
        policy.jitter,
        _names("Backoff.never", policy.never),
        None if policy.only is None else _names("Backoff.only", policy.only),
    )
    return msgspec.json.encode(stored).decode()


def from_json(text: str) -> Backoff:
    """Return the policy of a JSON text; raises ``ValueError`` for any other text."""
    try:
        stored = msgspec.json.decode(text.encode(), type=_Stored)
    except msgspec.DecodeError as error:
        raise JobArgumentError("retry", text, "it is not a stored policy") from error
    return Backoff(
        initial=timedelta(microseconds=stored.initial),
        factor=stored.factor,
        maximum=timedelta(microseconds=stored.maximum),
        jitter=stored.jitter,
        never=stored.never,
        only=stored.only,
    )


def _names(parameter: str, kinds: tuple[ErrorKind, ...]) -> tuple[str, ...]:
    names = tuple(kind if isinstance(kind, str) else name_of(kind) for kind in kinds)
    for name in names:
        if name.startswith("__main__:") or "<locals>" in name:
            raise JobArgumentError(
                parameter,
                name,
                "with a job it is stored by name, and no other process knows this name; define the class at the "
                "top of a module, or give the policy at the registration of the handler",
            )
    return names
