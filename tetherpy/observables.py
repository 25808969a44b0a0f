"""Rx observables from callbacks and back. ``reactivex`` is imported when the first observable is created."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from .iteration import Keep, Listen, PushedValues, keep_latest

if TYPE_CHECKING:
    from reactivex import Observable
    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

    class IterableObservable(Observable["T"]):
        """An Rx observable that ``async for`` iterates over, with a subscription for each iteration."""

        def __aiter__(self) -> AsyncIterator[T]:
            """Return an iterator that unsubscribes when the loop is left."""
            ...


T = TypeVar("T")


def observable(listen: Listen[T], keep: Keep[T] = keep_latest) -> IterableObservable[T]:
    """Return a cold observable: each subscription and each iteration calls ``listen``.

    Args:
        listen: called with on_next, on_error and on_completed; returns the function that unsubscribes.
        keep: adds a value to those that wait for a slow iteration; by default the newest one replaces the others.
    """
    return _iterable_observable()(listen, keep)


@cache
def _iterable_observable() -> Callable[[Listen[Any], Keep[Any]], IterableObservable[Any]]:
    from reactivex import Observable
    from reactivex.disposable import Disposable

    class IterableObservable(Observable[Any]):
        def __init__(self, listen: Listen[Any], keep: Keep[Any]) -> None:
            def subscribe(observer: ObserverBase[Any], scheduler: SchedulerBase | None = None) -> DisposableBase:
                return Disposable(listen(observer.on_next, observer.on_error, observer.on_completed))

            super().__init__(subscribe)
            self._listen = listen
            self._keep = keep

        def __aiter__(self) -> AsyncIterator[Any]:
            return PushedValues(self._listen, self._keep)

    made: Any = IterableObservable  # the declaration for type checkers is above
    return cast("Callable[[Listen[Any], Keep[Any]], Any]", made)


def listen_to(values: Observable[T]) -> Listen[T]:
    """Return the function that subscribes callbacks to an observable."""

    def listen(
        on_next: Callable[[T], None], on_error: Callable[[Exception], None], on_completed: Callable[[], None]
    ) -> Callable[[], None]:
        return values.subscribe(on_next, on_error, on_completed).dispose

    return listen
