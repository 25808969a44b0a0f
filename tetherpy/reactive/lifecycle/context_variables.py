"""A context manager that sets a context variable for a block."""

from __future__ import annotations

from contextlib import suppress
from contextvars import ContextVar, Token
from typing import Generic, TypeVar

T = TypeVar("T")


class bound(Generic[T]):  # noqa: N801  used as `with bound(...)`
    """Set a variable until the end of the block.

    A coroutine that is suspended in the block may be closed in another context, where the variable was never set.
    The garbage collector does so.
    """

    __slots__ = ("_token", "_value", "_variable")

    _token: Token[T]

    def __init__(self, variable: ContextVar[T], value: T) -> None:
        self._variable = variable
        self._value = value

    def __enter__(self) -> None:
        self._token = self._variable.set(self._value)

    def __exit__(self, *_: object) -> None:
        with suppress(ValueError):
            self._variable.reset(self._token)
