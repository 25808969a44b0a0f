"""Live views of jobs as Rx observables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .job_queries import ViewQuery
from .live_views import Listener, LiveViewHub

if TYPE_CHECKING:
    from reactivex import Observable
    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase


def observe(hub: LiveViewHub, query_of_view: ViewQuery) -> Observable[Any]:
    """Return the answer as an observable: the present one on subscribing, then each that differs.

    Subscribers of equal questions share one view. Values are delivered in the event loop in which
    the engine lives; subscribe and dispose there. An error ends the stream; it completes
    when the database is closed.
    """
    from reactivex import create
    from reactivex.disposable import Disposable

    def subscribe(observer: ObserverBase[Any], _: SchedulerBase | None = None) -> DisposableBase:
        listener = Listener(observer.on_next, observer.on_error, lambda _: observer.on_completed())
        return Disposable(hub.listen(query_of_view, listener))

    return create(subscribe)
