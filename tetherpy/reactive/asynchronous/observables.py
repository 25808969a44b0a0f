"""The bridge to Rx: the only module that imports ``reactivex``, and only when somebody asks for an observable."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    from reactivex import Observable
    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

T = TypeVar("T")

Listen: TypeAlias = Callable[[Callable[[T], None], Callable[[Exception], None], Callable[[], None]], Callable[[], None]]
"""Begin to listen with on_next, on_error and on_completed; returns the function that ends it."""


def observable(listen: Listen[T]) -> Observable[T]:
    """Return a cold observable: each subscription listens on its own."""
    from reactivex import create
    from reactivex.disposable import Disposable

    def subscribe(observer: ObserverBase[T], scheduler: SchedulerBase | None = None) -> DisposableBase:
        return Disposable(listen(observer.on_next, observer.on_error, observer.on_completed))

    return create(subscribe)
