"""Asynchronous iteration over values that a source pushes, with bounded memory."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, Final, Generic, Self, TypeAlias, TypeVar

from .errors import SlowConsumerError

T = TypeVar("T")

Listen: TypeAlias = Callable[[Callable[[T], None], Callable[[Exception], None], Callable[[], None]], Callable[[], None]]
"""Start to listen with on_next, on_error and on_completed; returns the function that stops it."""

Keep: TypeAlias = Callable[["deque[T]", T], None]
"""Add a value to the values that the consumer has not taken yet."""

MOST_WAITING: Final = 1_000
"""How many events may wait for a slow consumer."""


def keep_latest(waiting: deque[Any], value: Any) -> None:
    """Keep only the newest value: for states, which replace each other."""
    waiting.clear()
    waiting.append(value)


def keep_union(waiting: deque[frozenset[Any]], value: frozenset[Any]) -> None:
    """Keep one set that contains all waiting sets."""
    if waiting:
        value |= waiting.pop()
    waiting.append(value)


def keep_all(waiting: deque[Any], value: Any) -> None:
    """Keep every value: for events, none of which may be missed.

    Raises:
        SlowConsumerError: ``MOST_WAITING`` values wait already.
    """
    if len(waiting) >= MOST_WAITING:
        raise SlowConsumerError(MOST_WAITING)
    waiting.append(value)


class _Inbox(Generic[T]):
    """What a source has pushed; it does not refer to the iterator, so the source does not keep the iterator alive."""

    __slots__ = ("_keep", "_loop", "changed", "ended", "error", "waiting")

    def __init__(self, keep: Keep[T], loop: asyncio.AbstractEventLoop) -> None:
        self._keep = keep
        self._loop = loop
        self.waiting: deque[T] = deque()
        self.error: Exception | None = None
        self.ended = False
        self.changed = asyncio.Event()

    def on_next(self, value: T) -> None:
        if self.ended:
            return
        try:
            self._keep(self.waiting, value)
        except SlowConsumerError as error:
            self.on_error(error)
        else:
            self._wake()

    def on_error(self, error: Exception) -> None:
        if not self.ended:
            self.error = error
        self.on_completed()

    def on_completed(self) -> None:
        self.ended = True
        self._wake()

    def _wake(self) -> None:
        if asyncio._get_running_loop() is self._loop:  # pyright: ignore[reportPrivateUsage]  # documented, never raises
            self.changed.set()
        else:
            with suppress(RuntimeError):  # the loop is closed, so no task waits
                self._loop.call_soon_threadsafe(self.changed.set)


class PushedValues(AsyncIterator[T]):
    """An asynchronous iterator over what a source pushes.

    It subscribes when the iteration begins. It unsubscribes when the source ends, when a wait for a value is cancelled,
    by ``aclose``, and as soon as the iterator is dropped: leaving ``async for`` drops it.

    Args:
        listen: called with on_next, on_error and on_completed when the iteration begins.
        keep: adds a value to those that wait for a slow consumer; by default the newest one replaces the others.
    """

    __slots__ = ("__weakref__", "_close", "_inbox", "_is_over", "_keep", "_listen", "_loop")

    def __init__(self, listen: Listen[T], keep: Keep[T] = keep_latest) -> None:
        self._listen = listen
        self._keep = keep
        self._inbox: _Inbox[T] | None = None
        self._close: Callable[[], None] | None = None
        self._is_over = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        """Return the next value.

        Raises:
            Exception: the error of the source, after the values that it has pushed before.
            SlowConsumerError: too many events wait.
        """
        inbox = self._inbox or self._begin()
        try:
            while not (inbox.waiting or inbox.ended):
                inbox.changed.clear()
                await inbox.changed.wait()
        except BaseException:
            self._end()
            raise
        if inbox.waiting:
            return inbox.waiting.popleft()
        self._end()
        error, inbox.error = inbox.error, None
        raise StopAsyncIteration if error is None else error

    async def aclose(self) -> None:
        """Unsubscribe now; the iteration ends."""
        self._end()

    def _begin(self) -> _Inbox[T]:
        self._loop = asyncio.get_running_loop()
        inbox = _Inbox(self._keep, self._loop)
        if self._is_over:
            inbox.ended = True
        else:
            self._close = self._listen(inbox.on_next, inbox.on_error, inbox.on_completed)
        self._inbox = inbox
        return inbox

    def _end(self) -> None:
        self._is_over = True
        if self._inbox is not None:
            self._inbox.waiting.clear()
            self._inbox.on_completed()  # another task may wait for a value too
        close, self._close = self._close, None
        if close is not None:
            close()

    def __del__(self) -> None:
        close = self._close
        if close is None:
            return
        # The garbage collector may run in another thread; the source is used in the thread of its loop.
        running = asyncio._get_running_loop()  # pyright: ignore[reportPrivateUsage]
        if running is self._loop or not self._loop.is_running():
            close()
        else:
            self._loop.call_soon_threadsafe(close)


def latest(listen: Listen[T]) -> PushedValues[T]:
    """Iterate over pushed values until the source completes; a newer value replaces one that was not consumed yet.

    Args:
        listen: called with on_next, on_error and on_completed when the iteration begins.
    """
    return PushedValues(listen)
