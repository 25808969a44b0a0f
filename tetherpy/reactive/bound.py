"""Set a context variable for the time of a block."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def bound(variable: ContextVar[T], value: T) -> Generator[None]:
    """Set a variable until the end of the block.

    A coroutine that is suspended in the block may be closed in another context, where the variable was never set.
    The garbage collector does so.
    """
    token = variable.set(value)
    try:
        yield
    finally:
        with suppress(ValueError):
            variable.reset(token)
