"""Lists of subscribers that may change while they are called."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

import attrs

T = TypeVar("T")


def do_nothing(*_: Any) -> None:
    """Do nothing: the default of callbacks."""


@attrs.define(eq=False)
class Subscribers(Generic[T]):
    """Keep subscribers in the order in which they subscribed; one object may subscribe several times.

    ``on_first`` is called after the first one subscribed, ``on_last`` after the last one unsubscribed. Iterate over
    the subscribers of the moment: those who come and go during the iteration do not change it.
    """

    on_first: Callable[[], object] = do_nothing
    on_last: Callable[[], object] = do_nothing
    _subscribers: dict[object, T] = attrs.field(init=False, factory=dict[object, T])

    def add(self, subscriber: T) -> Callable[[], None]:
        """Add a subscriber; return the function that removes it."""
        token = object()
        self._subscribers[token] = subscriber
        if len(self._subscribers) == 1:
            self.on_first()

        def remove() -> None:
            if self._subscribers.pop(token, None) is not None and not self._subscribers:
                self.on_last()

        return remove

    def take_all(self) -> list[T]:
        """Remove and return all subscribers."""
        subscribers = list(self)
        if subscribers:
            self._subscribers.clear()
            self.on_last()
        return subscribers

    def __iter__(self) -> Iterator[T]:
        return iter(tuple(self._subscribers.values()))

    def __len__(self) -> int:
        return len(self._subscribers)


def call_subscriber(kind: str, callback: Callable[..., object], *args: Any) -> None:
    """Call a subscriber; pass an error to the loop's exception handler, so that the other ones are called too."""
    try:
        callback(*args)
    except Exception as error:
        context = {"message": f"a subscriber of {kind} failed", "exception": error}
        asyncio.get_running_loop().call_exception_handler(context)
