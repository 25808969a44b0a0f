"""Synchronous methods that are derived from those of an asynchronous class."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from .portal import Portal

A = TypeVar("A")
Q = ParamSpec("Q")
T = TypeVar("T")


class Synchronous(Generic[A]):
    """Base of classes whose methods await those of an object ``A`` in a loop in another thread."""

    __slots__ = ()

    def in_loop(self) -> tuple[Portal, A]:
        """Return the object, and the portal to its loop."""
        raise NotImplementedError


def sync_form(
    method: Callable[Concatenate[A, Q], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Synchronous[A], Q], T]:
    """Return the synchronous form of a method, with the same parameters and docstring."""

    @wraps(method)
    def call(self: Synchronous[A], /, *args: Q.args, **kwargs: Q.kwargs) -> T:
        portal, target = self.in_loop()
        bound: Callable[Q, Coroutine[Any, Any, T]] = getattr(target, method.__name__)
        return portal.call(lambda: bound(*args, **kwargs))

    return call
