"""Who waits for which message: the receiving half of messages, the same in app and worker."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from reactivex import Observable
    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

_logger = logging.getLogger("tetherpy.service")


def _nothing() -> None:
    pass


@attrs.define(eq=False)
class EventBus:
    """Deliver each message to everyone who subscribed to its event before it arrived.

    ``on_first`` and ``on_last`` are called when the mailbox gets its first subscriber and loses
    its last one.
    """

    on_first: Callable[[], None] = _nothing
    on_last: Callable[[], None] = _nothing
    _subscribers: dict[str, dict[object, Callable[[Any], None]]] = attrs.field(
        init=False, factory=dict[str, dict[object, Callable[[Any], None]]]
    )

    def deliver(self, event: str, data: Any) -> None:
        """Hand a message to the event's subscribers; one that raises does not rob the others."""
        for callback in tuple(self._subscribers.get(event, {}).values()):
            try:
                callback(data)
            except Exception:
                _logger.exception("A subscriber of %r raised", event, extra={"event": event})

    def subscribe(self, event: str, callback: Callable[[Any], None]) -> Callable[[], None]:
        """Call back for each message of an event; return what ends that."""
        first = not self._subscribers
        token = object()
        self._subscribers.setdefault(event, {})[token] = callback
        if first:
            self.on_first()

        def remove() -> None:
            callbacks = self._subscribers.get(event, {})
            if callbacks.pop(token, None) is None or callbacks:
                return
            del self._subscribers[event]
            if not self._subscribers:
                self.on_last()

        return remove

    def on(self, event: str) -> Observable[Any]:
        """Return a hot observable of an event's messages, as they are from the subscription on."""
        # Imported here: a worker that listens to nothing does without reactivex.
        import reactivex
        from reactivex.disposable import Disposable

        def subscribe(observer: ObserverBase[Any], scheduler: SchedulerBase | None = None) -> DisposableBase:
            return Disposable(self.subscribe(event, observer.on_next))

        return reactivex.create(subscribe)
