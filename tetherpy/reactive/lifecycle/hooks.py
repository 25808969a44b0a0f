"""Callbacks, disposers and resources registered by one build of a provider."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum
from functools import partial
from typing import Any, Protocol, TypeAlias

from .callbacks import refuse_async
from .timers import Timer


class Event(Enum):
    """The events in a provider's life for which a Ref registers callbacks."""

    CANCEL = "cancel"
    RESUME = "resume"
    ADD_LISTENER = "add_listener"
    REMOVE_LISTENER = "remove_listener"
    INVALIDATE = "invalidate"


class Pausable(Protocol):
    """A subscription that a build holds on another provider."""

    def pause(self) -> None:
        """Stop delivering."""
        ...

    def suspend(self) -> Any:
        """Stop delivering; return the element that the caller must deactivate, or None."""
        ...

    def restore(self) -> Any:
        """Deliver again, the last missed event first; return the element that the caller must activate, or None."""
        ...

    def close(self) -> None:
        """Stop permanently."""
        ...


Callback: TypeAlias = Callable[[], object]
Disposer: TypeAlias = Callable[[], Awaitable[object] | object]
Closer: TypeAlias = Callable[[BaseException | None], Awaitable[bool | None] | bool | None]
"""Leaves a context manager, given the error that ended its block, or None; a true result suppresses the error."""
SelfListener: TypeAlias = tuple[Callable[[Any, Any], object], Callable[[Exception], object] | None]


class Hooks:
    """The callbacks, subscriptions, tasks and context managers of one build; most builds have none.

    Each kind is None until the first one is added, because the container of a request creates many Hooks.

    Attributes:
        cache_time: the time to keep the state after its last user, in seconds; None unless ``cache_for`` was called.
        cache_timer: the timer of ``cache_time``.
        cancelled_once: whether the last active user has left since the build, so that RESUME can follow.
        closers: functions that leave the context managers, in the order in which they were entered.
        disposers: the disposers, in the order of their registration.
        entered_in: the tasks that entered asynchronous context managers.
        links: the KeepAliveLinks of an auto-dispose provider.
        paused: whether the subscriptions of the build are paused, because the provider has no active user.
        restored: marks the last state that was read from a storage during the build.
        unfinished: whether the build is given up before it has a value, so that its context managers get a
            CancelledError.
    """

    __slots__ = (
        "_subscriptions",
        "cache_time",
        "cache_timer",
        "cancelled_once",
        "closers",
        "disposers",
        "entered_in",
        "events",
        "links",
        "paused",
        "restored",
        "self_listeners",
        "tasks",
        "unfinished",
    )

    def __init__(self) -> None:
        self.events: dict[Event, dict[object, Callback]] | None = None
        self.disposers: dict[object, Disposer] | None = None
        self.closers: list[Closer] | None = None
        self._subscriptions: dict[Pausable, None] | None = None
        self.links: set[object] | None = None
        self.tasks: set[asyncio.Task[Any]] | None = None
        self.self_listeners: dict[object, SelfListener] | None = None
        self.cancelled_once = False
        self.paused = False
        self.restored: object = None
        self.unfinished = False
        self.cache_time: float | None = None
        self.cache_timer: Timer | None = None
        self.entered_in: set[asyncio.Task[Any] | None] | None = None

    def on(self, event: Event, callback: Callback) -> Callable[[], None]:
        """Add a callback and return the function that removes it.

        Raises:
            AsyncCallbackError: it is ``async``.
        """
        refuse_async(callback)
        if self.events is None:
            self.events = {}
        return _add(self.events.setdefault(event, {}), callback)

    def on_dispose(self, callback: Disposer) -> Callable[[], None]:
        """Add a callback for the end of the build and return the function that removes it."""
        if self.disposers is None:
            self.disposers = {}
        return _add(self.disposers, callback)

    def on_change(self, listener: SelfListener) -> Callable[[], None]:
        """Add a listener of the provider's own state and return the function that removes it.

        Raises:
            AsyncCallbackError: one of its callbacks is ``async``.
        """
        for callback in listener:
            if callback is not None:
                refuse_async(callback)
        if self.self_listeners is None:
            self.self_listeners = {}
        return _add(self.self_listeners, listener)

    def leave(self, closer: Closer) -> None:
        """Register a function that leaves a context manager at the end of the build."""
        if self.closers is None:
            self.closers = []
        self.closers.append(closer)

    def hold(self, subscription: Pausable) -> None:
        """Tie a subscription to the build, which pauses it while the provider has no active user."""
        if self._subscriptions is None:
            self._subscriptions = {}
        self._subscriptions[subscription] = None
        if self.paused:
            subscription.pause()

    def release(self, subscription: Pausable) -> None:
        """Forget a subscription that was closed."""
        if self._subscriptions is not None:
            self._subscriptions.pop(subscription, None)

    @property
    def has_to_undo(self) -> bool:
        """Whether a teardown has work left after ``close``."""
        return bool(self.disposers or self.closers or self.tasks)

    def pause(self) -> list[Any]:
        """Pause the subscriptions of the build, because its provider has no active user.

        Returns:
            The elements that the caller must deactivate.
        """
        if self.paused:
            return []
        self.paused = True
        return [element for one in self._subscriptions or () if (element := one.suspend()) is not None]

    def resume(self) -> list[Any]:
        """Resume the subscriptions of the build.

        Returns:
            The elements that the caller must activate.
        """
        if not self.paused:
            return []
        self.paused = False
        return [element for one in self._subscriptions or () if (element := one.restore()) is not None]

    def close(self) -> None:
        """Remove callbacks, timers and subscriptions; disposers, tasks and context managers stay for the teardown."""
        self.events = self.links = self.self_listeners = self.cache_time = None
        if self.cache_timer is not None:
            self.cache_timer.cancel()
            self.cache_timer = None
        subscriptions, self._subscriptions = self._subscriptions, None
        if subscriptions:
            for subscription in subscriptions:
                subscription.close()


def _add(callbacks: dict[object, Any], callback: Any) -> Callable[[], None]:
    token = object()  # a callback may be registered twice, and each remover removes its own
    callbacks[token] = callback
    return partial(_discard, callbacks, token)


def _discard(callbacks: dict[object, Any], token: object) -> None:
    callbacks.pop(token, None)
