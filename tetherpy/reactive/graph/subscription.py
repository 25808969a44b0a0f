"""Subscriptions: the listeners of providers outside the graph."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context, copy_context
from functools import partial
from threading import get_ident
from typing import Any, Generic, TypedDict, TypeVar, cast

from tetherpy.closable import Closable

from ..errors import ReactiveArgumentError, SubscriptionClosedError, WrongThreadError
from ..lifecycle.callbacks import call, check_result, refuse_async
from ..lifecycle.running_loop import running_loop
from .announcements import guarded, notify_listeners
from .element import NO_VALUE, NO_VARIABLES, Element
from .updates.read import read, refresh
from .users import activate, add_listener, deactivate, remove_listener, request_disposal

T = TypeVar("T")

OnChange = Callable[[T | None, T], object]
"""A callback of ``listen``: called with the previous and the new value."""
OnError = Callable[[Exception], object]


class ListenOptions(TypedDict, total=False):
    """The options of ``listen``; see ``ProviderContainer.listen``."""

    fire_immediately: bool
    on_error: OnError | None
    weak: bool


class ProviderSubscription(Closable, Generic[T]):
    """A listener of a provider; close it, or leave its ``with`` block, to stop listening."""

    __slots__ = (
        "_closed",
        "_element",
        "_missed",
        "_on_change",
        "_on_close",
        "_on_error",
        "_pauses",
        "_weak",
        "context",
    )

    def __init__(
        self,
        element: Element,
        on_change: OnChange[T],
        on_error: OnError | None,
        *,
        weak: bool,
    ) -> None:
        self._element = element
        self._on_change = on_change
        self._on_error = on_error
        self._weak = weak
        self._on_close: tuple[Callable[[], object], ...] = ()
        self._pauses = 0
        self._missed: tuple[Any, Any, Exception | None] | None = None
        self._closed = False
        #: The context variables of the registration: the callback runs in them, not in those of the change.
        self.context: Context = copy_context() or NO_VARIABLES
        add_listener(element, self)

    @property
    def closed(self) -> bool:
        """Whether it was closed, by ``close`` or because its container or build ended."""
        return self._closed

    @property
    def is_paused(self) -> bool:
        """Whether it was paused more often than resumed."""
        return self._pauses > 0

    @property
    def weak(self) -> bool:
        """Whether it neither builds the provider nor keeps it alive."""
        return self._weak

    def read(self) -> T:
        """Return the current value, also while paused.

        Raises:
            ProviderError: the provider is in error.
            SubscriptionClosedError: it was closed, or its container or build ended.
        """
        element = self._element
        element.host.check()
        if self._closed:
            raise SubscriptionClosedError(element.provider)
        scheduler = element.host.scheduler
        scheduler.depth += 1
        try:
            return cast("T", read(element))
        finally:
            if self._weak:
                request_disposal(element)
            scheduler.leave()

    def pause(self) -> None:
        """Stop calls until ``resume``; each pause needs one resume. A provider is paused if all its listeners are."""
        self._check_thread()
        scheduler = self._element.host.scheduler
        scheduler.depth += 1
        try:
            if self.suspend() is not None:
                deactivate(self._element)
        finally:
            scheduler.leave()

    def suspend(self) -> Element | None:
        """Pause without deactivating the element; return the element if the caller must deactivate it."""
        if self._closed:
            return None
        self._pauses += 1
        self._element.context = None
        return self._element if self._pauses == 1 and not self._weak else None

    def resume(self) -> None:
        """Undo one ``pause``; after the last one, deliver the most recent missed change."""
        self._check_thread()
        scheduler = self._element.host.scheduler
        scheduler.depth += 1
        try:
            if self.restore() is not None:
                activate(self._element)
        finally:
            scheduler.leave()

    def restore(self) -> Element | None:
        """Undo one pause without activating the element; return the element if the caller must activate it."""
        if self._closed or not self._pauses:
            return None
        self._pauses -= 1
        if self._pauses:
            return None
        element = self._element
        element.context = None
        scheduler = element.host.scheduler
        if self._missed is not None:
            scheduler.callbacks.append((self._after_resuming, (element,)))
        if self._weak:
            return None
        if element.state > 0:
            scheduler.queue.append(element)
        return element

    def close(self) -> None:
        """Stop listening. A second call does nothing."""
        self._check_thread()
        if self._closed:
            return
        self._closed = True
        self._missed = None
        scheduler = self._element.host.scheduler
        scheduler.depth += 1
        try:
            remove_listener(self._element, self, was_active=not self._pauses)
            callbacks, self._on_close = self._on_close, ()
            for callback in callbacks:
                guarded(self._element, callback)  # the container may be closing, and has more to close
        finally:
            scheduler.leave()

    def when_closed(self, callback: Callable[[], object]) -> None:
        """Call ``callback`` once when the subscription is closed, by its user or with the provider."""
        self._on_close = (*self._on_close, callback)

    def follow_weakly(self, origin: Element) -> None:
        """Also listen weakly to the provider of a view, so that the view is evaluated when the provider changes."""
        follower = _WeakView(self._element, self)
        add_listener(origin, follower)
        self.when_closed(partial(remove_listener, origin, follower, was_active=False))

    def notify(self, previous: Any, value: Any, failure: Exception | None) -> None:
        """Deliver a change; an exception of a callback goes to on_error and does not affect other listeners.

        The caller has entered the context of the registration.
        """
        if self._closed:
            return
        if self._pauses or self._missed is not None:
            first = previous if self._missed is None else self._missed[0]
            self._missed = (first, value, failure)
            return
        try:
            if failure is None:
                result = self._on_change(previous, value)
                if result is not None:
                    check_result(self._on_change, result)
            elif self._on_error is not None:
                call(self._on_error, failure)
        except BaseException as error:
            self._element.host.report(error, self._element.provider)

    def _after_resuming(self, element: Element) -> None:
        """Deliver the missed change after the callbacks and kept events of everything resumed in this operation."""
        element.host.scheduler.callbacks.append((self._deliver_missed, (element,)))

    def _deliver_missed(self, element: Element) -> None:
        if not self._pauses and self._missed is not None:
            (previous, value, failure), self._missed = self._missed, None
            notify_listeners(element, (self,), previous, value, failure)

    def fire(self, value: Any, failure: Exception | None) -> None:
        """Call the callback with the initial value."""
        try:
            if failure is None:
                call(self._on_change, None, value)
            elif self._on_error is not None:
                call(self._on_error, failure)
        except BaseException as error:
            self._element.host.report(error, self._element.provider)

    def _check_thread(self) -> None:
        host = self._element.host
        if get_ident() != host.scheduler.thread:
            raise WrongThreadError(host)
        loops = host.scheduler.loops
        if running_loop() is not loops.served:
            loops.serve()


class _WeakView:
    """Evaluates a view that has only weak listeners when its provider is built or changes.

    The view has no edges, because an edge would build the provider and keep it alive.
    """

    __slots__ = ("_subscription", "_view")

    weak = True
    is_paused = False
    context = None

    def __init__(self, view: Element, subscription: ProviderSubscription[Any]) -> None:
        self._view = view
        self._subscription = subscription

    def notify(self, previous: Any, value: Any, failure: Exception | None) -> None:
        """Update the view, which notifies its listeners if it changed."""
        if self._view.state > 0:
            scheduler = self._view.host.scheduler
            scheduler.depth += 1
            try:
                refresh(self._view)
                request_disposal(self._view)
            finally:
                scheduler.leave()

    def close(self) -> None:
        """Close the subscription, because the provider was disposed."""
        self._subscription.close()


def _fire(element: Element, subscription: ProviderSubscription[Any], value: Any, failure: Exception | None) -> None:
    if not subscription.closed:
        subscription.fire(value, failure)


def subscribe(
    element: Element,
    on_change: OnChange[T],
    on_error: OnError | None = None,
    *,
    fire_immediately: bool = False,
    weak: bool = False,
    on_close: Callable[[], object] | None = None,
    guests: dict[ProviderSubscription[Any], None] | None = None,
) -> ProviderSubscription[T]:
    """Add a listener, building the element first unless the listener is weak.

    The subscription is in ``guests`` until it is closed.

    Raises:
        ReactiveArgumentError: both ``weak`` and ``fire_immediately`` are set.
        AsyncCallbackError: a callback is ``async``.
    """
    refuse_async(on_change)
    if on_error is not None:
        refuse_async(on_error)
    if weak and fire_immediately:
        raise ReactiveArgumentError("fire_immediately", True, "a weak listener does not build; leave out one of both")
    scheduler = element.host.scheduler
    scheduler.depth += 1
    try:
        if not weak and element.state > 0:
            # Refresh before adding the listener: its first value is not a change.
            refresh(element)
        subscription = ProviderSubscription(element, on_change, on_error, weak=weak)
        if on_close is not None:
            subscription.when_closed(on_close)
        if guests is not None:
            guests[subscription] = None
            subscription.when_closed(partial(guests.pop, subscription, None))
        if weak and element.provider.ephemeral:
            subscription.follow_weakly(element.host.find(element.provider.origin))
        if fire_immediately:
            value = None if element.value is NO_VALUE else element.value
            if scheduler.callbacks and scheduler.building is None:
                # Earlier events are delivered first.
                scheduler.callbacks.append((_fire, (element, subscription, value, element.failure)))
            else:
                subscription.fire(value, element.failure)
    finally:
        scheduler.leave()
    return subscription
