"""Calls of user callbacks, which are synchronous: async callbacks are refused."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from inspect import CO_COROUTINE
from types import CoroutineType, FunctionType
from typing import Any

from ..errors import AsyncCallbackError


def refuse_async(callback: object) -> None:
    """Check a callback when it is registered.

    Raises:
        AsyncCallbackError: it is an ``async`` function.
    """
    # The usual type first, without a call: each listener passes here.
    flags = callback.__code__.co_flags if type(callback) is FunctionType else flags_of(callback)
    if flags & CO_COROUTINE:
        raise AsyncCallbackError(callback)


def call(callback: Callable[..., object], *arguments: Any) -> None:
    """Call a callback for its effect.

    Raises:
        AsyncCallbackError: it returned a coroutine, as a lambda around an ``async`` function does.
        Exception: the exception that it raises.
    """
    check_result(callback, callback(*arguments))


def check_result(callback: object, result: object) -> None:
    """Check the result of a callback.

    Raises:
        AsyncCallbackError: it is a coroutine.
    """
    if type(result) is CoroutineType:
        result.close()  # it is never awaited: without this Python would also warn about it
        raise AsyncCallbackError(callback)


def flags_of(callback: Any) -> int:
    """Return the code flags of a function, method, partial or callable object; 0 if it has no Python code."""
    if type(callback) is FunctionType:
        return callback.__code__.co_flags
    while isinstance(callback, partial):
        callback = callback.func
    code = getattr(callback, "__code__", None)
    if code is None and callable(callback):
        code = getattr(type(callback).__call__, "__code__", None)
    return getattr(code, "co_flags", 0)
