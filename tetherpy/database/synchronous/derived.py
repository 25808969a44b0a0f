"""Synchronous methods that are derived from those of an asynchronous class."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, cast, overload

from .portal import Portal

A = TypeVar("A")
Q = ParamSpec("Q")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Synchronous(Generic[A]):
    """Base of classes whose methods await those of an object ``A`` in a loop in another thread."""

    __slots__ = ()

    def in_loop(self) -> tuple[Portal, A]:
        """Return the object, and the portal to its loop."""
        raise NotImplementedError


class SyncMethod(Protocol[A, Q, T_co]):
    """A function in a class; a type checker need not guess whether such a value is a method."""

    @overload
    def __get__(self, instance: None, owner: type, /) -> Callable[Concatenate[Any, Q], T_co]: ...
    @overload
    def __get__(self, instance: Synchronous[A], owner: type | None = None, /) -> Callable[Q, T_co]: ...


def sync_form(method: Callable[Concatenate[A, Q], Coroutine[Any, Any, T]]) -> SyncMethod[A, Q, T]:
    """Return the synchronous form of a method, with the same parameters and docstring."""

    @wraps(method)
    def call(self: Synchronous[A], /, *args: Q.args, **kwargs: Q.kwargs) -> T:
        portal, target = self.in_loop()
        bound: Callable[Q, Coroutine[Any, Any, T]] = getattr(target, method.__name__)
        return portal.call(lambda: bound(*args, **kwargs))

    return cast("SyncMethod[A, Q, T]", call)
