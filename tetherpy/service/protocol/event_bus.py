"""Who waits for which message: the receiving half of messages, the same in app and worker."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs

from tetherpy.observables import observable
from tetherpy.subscribers import Subscribers, do_nothing

if TYPE_CHECKING:
    from reactivex import Observable

_logger = logging.getLogger("tetherpy.service")


@attrs.define(eq=False)
class EventBus:
    """Deliver each message to everyone who subscribed to its event before it arrived.

    ``on_first`` and ``on_last`` are called when the mailbox gets its first subscriber and loses
    its last one.
    """

    on_first: Callable[[], None] = do_nothing
    on_last: Callable[[], None] = do_nothing
    _subscribers: Subscribers[tuple[str, Callable[[Any], None]]] = attrs.field(
        init=False, default=attrs.Factory(lambda self: Subscribers(self.on_first, self.on_last), takes_self=True)
    )

    def deliver(self, event: str, data: Any) -> None:
        """Hand a message to the event's subscribers; one that raises does not rob the others."""
        for subscribed, callback in self._subscribers:
            if subscribed == event:
                try:
                    callback(data)
                except Exception:
                    _logger.exception("A subscriber of %r raised", event, extra={"event": event})

    def subscribe(self, event: str, callback: Callable[[Any], None]) -> Callable[[], None]:
        """Call back for each message of an event; return what ends that."""
        return self._subscribers.add((event, callback))

    def on(self, event: str) -> Observable[Any]:
        """Return a hot observable of an event's messages, as they are from the subscription on."""
        return observable(lambda on_next, _error, _completed: self.subscribe(event, on_next))
