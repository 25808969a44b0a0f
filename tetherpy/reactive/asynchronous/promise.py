"""The awaitable behind ``provider.future``; any number of tasks may await it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import Any, Generic, TypeVar

from tetherpy.errors import raise_again
from tetherpy.wait_queue import WaitQueue

T = TypeVar("T")


class Promise(Generic[T]):
    """A future value. While it is pending it is kept through rebuilds of its provider.

    Cancelling a task that awaits it affects neither other waiters nor the build.
    """

    __slots__ = ("_callbacks", "_done", "_error", "_value", "_waiters")

    def __init__(self) -> None:
        self._done = False
        self._value: Any = None
        self._error: Exception | None = None
        self._waiters: WaitQueue[None, None] | None = None  # most promises are never awaited
        self._callbacks: dict[object, Callable[[], None]] | None = None  # most have none

    @property
    def done(self) -> bool:
        """Whether it has a value or an error."""
        return self._done

    def resolve(self, value: T) -> None:
        """Set the value; a promise is settled once."""
        self._value = value
        self._settle()

    def reject(self, error: Exception) -> None:
        """Set the error."""
        self._error = error
        self._settle()

    def on_settled(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback`` when the promise is settled (now if it is); return a function that removes the callback."""
        if self._done:
            callback()
            return _nothing
        token = object()
        if self._callbacks is None:
            self._callbacks = {}
        self._callbacks[token] = callback
        return partial(self._forget, token)

    def _forget(self, token: object) -> None:
        if self._callbacks is not None:
            self._callbacks.pop(token, None)

    def result(self) -> T:
        """Return the value, or raise the error, of a settled promise."""
        if self._error is not None:
            raise_again(self._error)
        return self._value  # type: ignore[no-any-return]  # resolve() took a T

    def _settle(self) -> None:
        self._done = True
        if self._waiters is not None:
            for waiter in self._waiters.take_all():
                waiter.answer(None)
        callbacks, self._callbacks = self._callbacks, None
        if callbacks is not None:
            for callback in callbacks.values():
                callback()

    def __await__(self) -> Generator[Any, None, T]:
        if not self._done:
            if self._waiters is None:
                self._waiters = WaitQueue()
            yield from self._waiters.wait(None).__await__()
        return self.result()

    def __repr__(self) -> str:
        return f"<Promise {'pending' if not self._done else repr(self._error or self._value)}>"


def _nothing() -> None:
    """Do nothing: the callback was called already."""
