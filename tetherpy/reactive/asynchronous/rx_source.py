"""The source behind a provider that returns an Rx observable."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import get_ident
from typing import Any

from ..errors import NotAnExceptionError
from ..graph.element import Element
from ..lifecycle.teardown import Teardown
from .source import Sink


class RxSource:
    """The values of an Rx observable, from any thread; while paused, the last event is kept."""

    __slots__ = ("_kept", "_paused", "_sink", "_stopped", "_subscription")

    def __init__(self, sink: Sink, observable: Any) -> None:
        self._sink = sink
        self._stopped = False
        self._paused = not sink.element.active
        self._kept: Callable[[], None] | None = None
        self._subscription: Any = None
        # An observable may emit, end or fail before subscribe() returns.
        self._subscription = observable.subscribe(self._on_next, self._on_error, self._on_completed)

    def _on_next(self, value: Any) -> None:
        self._take(partial(self._sink.data, value))

    def _on_error(self, error: object) -> None:
        failure = error if isinstance(error, Exception) else NotAnExceptionError(self._sink.element.provider, error)
        self._take(partial(self._sink.error, failure))

    def _on_completed(self) -> None:
        """End the source, unless a kept value has to be delivered first."""
        scheduler = self._sink.element.host.scheduler
        if get_ident() != scheduler.thread:
            self._sink.element.host.call_soon_threadsafe(self._on_completed)
        elif self._kept is None and not self._stopped:
            self._sink.ended()

    def _take(self, deliver: Callable[[], None]) -> None:
        scheduler = self._sink.element.host.scheduler
        if get_ident() != scheduler.thread:
            self._sink.element.host.call_soon_threadsafe(partial(self._take, deliver))
        elif self._stopped:
            return
        elif (self._paused or self._kept is not None) and scheduler.building is not self._sink.element:
            self._kept = deliver
        else:
            deliver()

    @property
    def building(self) -> bool:
        """False: the function that returned the observable has ended, and only it could watch."""
        return False

    @property
    def done(self) -> bool:
        """False: the subscription lasts until it is disposed."""
        return False

    def pause(self) -> None:
        """Keep the last event instead of delivering events."""
        self._paused = True

    def resume(self) -> None:
        """Deliver the last event that was kept."""
        self._paused = False
        if self._kept is not None:
            element = self._sink.element
            element.host.scheduler.callbacks.append((self._deliver_kept, (element,)))

    def _deliver_kept(self, element: Element) -> None:
        if self._paused or self._kept is None:
            return
        kept, self._kept = self._kept, None
        try:
            kept()
        except Exception as error:
            element.host.report(error, element.provider)

    def stop(self, teardown: Teardown | None) -> None:
        """Dispose the subscription."""
        self._stopped = True
        self._kept = None
        if self._subscription is not None:
            self._subscription.dispose()
