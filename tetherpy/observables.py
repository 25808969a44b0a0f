"""Rx observables from callbacks and back. ``reactivex`` is imported when the first observable is created."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    from reactivex import Observable
    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

T = TypeVar("T")

Listen: TypeAlias = Callable[[Callable[[T], None], Callable[[Exception], None], Callable[[], None]], Callable[[], None]]
"""Start to listen with on_next, on_error and on_completed; returns the function that stops it."""


def observable(listen: Listen[T]) -> Observable[T]:
    """Return a cold observable: each subscription calls ``listen``."""
    from reactivex import create
    from reactivex.disposable import Disposable

    def subscribe(observer: ObserverBase[T], scheduler: SchedulerBase | None = None) -> DisposableBase:
        return Disposable(listen(observer.on_next, observer.on_error, observer.on_completed))

    return create(subscribe)


def listen_to(values: Observable[T]) -> Listen[T]:
    """Return the function that subscribes callbacks to an observable."""

    def listen(
        on_next: Callable[[T], None], on_error: Callable[[Exception], None], on_completed: Callable[[], None]
    ) -> Callable[[], None]:
        return values.subscribe(on_next, on_error, on_completed).dispose

    return listen
