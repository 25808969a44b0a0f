"""Making an Rx observable; ``reactivex`` is imported when the first one is asked for, not before."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from reactivex import Observable
    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

T = TypeVar("T")


def observable(subscribe: "Callable[[ObserverBase[T]], Callable[[], None]]") -> "Observable[T]":
    """Return an observable that calls ``subscribe``, and on disposal what that returned."""
    from reactivex import Observable  # a worker that watches nothing never pays for it
    from reactivex.disposable import Disposable

    def subscribed(observer: "ObserverBase[T]", _scheduler: "SchedulerBase | None" = None) -> "DisposableBase":
        return Disposable(subscribe(observer))

    return Observable(subscribed)
