"""Retry policies for failed builds, set per provider or per container."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final, TypeAlias

from tetherpy.errors import leaves

from ...errors import ProviderError

Retry: TypeAlias = Callable[[int, Exception], "timedelta | float | None"]
"""``retry(retry_count, error)``: the time to wait before the next build (seconds), or None to give up.

``retry_count`` starts at 0 and is reset when a dependency changes (Riverpod).
"""

FIRST_DELAY: Final = 0.2
LONGEST_DELAY: Final = 6.4
MOST_RETRIES: Final = 10

PROGRAMMING_ERRORS: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    NotImplementedError,
    RecursionError,
    SyntaxError,
    TypeError,
)
"""Errors that a retry cannot change."""

HOPELESS: Final = (ProviderError, *PROGRAMMING_ERRORS)


def exponential_retry(retry_count: int, error: Exception) -> timedelta | None:
    """Wait 200 ms, doubling up to 6.4 s, at most ten times (Riverpod's default policy).

    Never retries a ProviderError (the failed provider has its own retries), a programming error, or an exception
    group that contains one of them.
    """
    if retry_count >= MOST_RETRIES or any(isinstance(leaf, HOPELESS) for leaf in leaves(error)):
        return None
    return timedelta(seconds=min(FIRST_DELAY * 2**retry_count, LONGEST_DELAY))


def never(retry_count: int, error: Exception) -> None:
    """Do not retry: turns retries off for one provider of a container that has a retry policy."""
    return
