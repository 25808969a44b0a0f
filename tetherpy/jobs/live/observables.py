"""Live views of jobs as Rx observables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tetherpy.observables import observable

from .job_queries import ViewQuery
from .live_views import Listener, LiveViewHub

if TYPE_CHECKING:
    from tetherpy.observables import IterableObservable


def observe(hub: LiveViewHub, query_of_view: ViewQuery) -> IterableObservable[Any]:
    """Return the result of a query as an observable: the current one, then each that differs from the one before.

    Subscribers of equal queries share one view. Values are delivered in the event loop in which
    the engine lives; subscribe and dispose there. An error ends the stream; it completes
    when the database is closed.
    """
    return observable(
        lambda on_next, on_error, on_completed: hub.listen(
            query_of_view, Listener(on_next, on_error, lambda _: on_completed())
        )
    )
