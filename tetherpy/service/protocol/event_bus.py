"""The event bus: delivers received messages to their subscribers, in app and worker."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs

from tetherpy.iteration import keep_all
from tetherpy.observables import observable
from tetherpy.subscribers import Subscribers, do_nothing

if TYPE_CHECKING:
    from tetherpy.observables import IterableObservable

_logger = logging.getLogger("tetherpy.service")


@attrs.define(eq=False)
class EventBus:
    """Deliver each message to the current subscribers of its event.

    ``on_first`` is called after the first subscription to any event, ``on_last`` after the end of the last one.
    """

    on_first: Callable[[], None] = do_nothing
    on_last: Callable[[], None] = do_nothing
    _subscribers: Subscribers[tuple[str, Callable[[Any], None]]] = attrs.field(
        init=False, default=attrs.Factory(lambda self: Subscribers(self.on_first, self.on_last), takes_self=True)
    )

    def deliver(self, event: str, data: Any) -> None:
        """Deliver a message to the subscribers of an event; an error of one is logged and does not affect others."""
        for subscribed, callback in self._subscribers:
            if subscribed == event:
                try:
                    callback(data)
                except Exception:
                    _logger.exception("A subscriber of %r raised", event, extra={"event": event})

    def subscribe(self, event: str, callback: Callable[[Any], None]) -> Callable[[], None]:
        """Call ``callback`` for each message of an event; return the function that unsubscribes it."""
        return self._subscribers.add((event, callback))

    def on(self, event: str) -> IterableObservable[Any]:
        """Return a hot observable of the messages of an event; ``async for`` keeps 1,000 for a slow loop."""
        return observable(lambda on_next, _error, _completed: self.subscribe(event, on_next), keep_all)
