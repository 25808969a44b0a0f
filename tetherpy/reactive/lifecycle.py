"""What one build of a provider has asked to be told, and what has to be undone when it ends."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from enum import Enum
from functools import partial
from typing import Any, Protocol, TypeAlias

from .callbacks import call, refuse_async


class Event(Enum):
    """The moments in a provider's life that a Ref can ask to be told of."""

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

    def resume(self) -> None:
        """Deliver again, the last missed event first."""
        ...

    def close(self) -> None:
        """Stop for good."""
        ...


Report: TypeAlias = Callable[[BaseException], None]
Callback: TypeAlias = Callable[[], object]
Disposer: TypeAlias = Callable[[], Awaitable[object] | object]
Closer: TypeAlias = Callable[[], Awaitable[object] | None]
SelfListener: TypeAlias = tuple[Callable[[Any, Any], object], Callable[[Exception], object] | None]


class Hooks:
    """The callbacks, subscriptions, tasks and context managers of one build; most builds have none.

    Each kind is None until there is one, because a request's container makes many of these.
    """

    __slots__ = (
        "_closers",
        "_disposers",
        "_subscriptions",
        "cancelled_once",
        "events",
        "links",
        "self_listeners",
        "tasks",
    )

    def __init__(self) -> None:
        self.events: dict[Event, list[Callback]] | None = None
        self._disposers: list[Disposer] | None = None
        self._closers: list[Closer] | None = None
        self._subscriptions: list[Pausable] | None = None
        self.links: set[object] | None = None
        self.tasks: set[asyncio.Task[Any]] | None = None
        self.self_listeners: list[SelfListener] | None = None
        self.cancelled_once = False

    def on(self, event: Event, callback: Callback) -> Callable[[], None]:
        """Add a callback and return the function that removes it.

        Raises:
            AsyncCallbackError: it is ``async``.
        """
        refuse_async(callback)
        if self.events is None:
            self.events = {}
        return _add(self.events.setdefault(event, []), callback)

    def on_dispose(self, callback: Disposer) -> Callable[[], None]:
        """Add a callback for the end of the build and return the function that removes it."""
        if self._disposers is None:
            self._disposers = []
        return _add(self._disposers, callback)

    def on_change(self, listener: SelfListener) -> Callable[[], None]:
        """Add a listener of the provider's own state and return the function that removes it.

        Raises:
            AsyncCallbackError: one of its callbacks is ``async``.
        """
        refuse_async(*listener)
        if self.self_listeners is None:
            self.self_listeners = []
        self.self_listeners.append(listener)
        return partial(_discard, self.self_listeners, listener)

    def leave(self, closer: Closer) -> None:
        """Have a context manager left at the end of the build."""
        if self._closers is None:
            self._closers = []
        self._closers.append(closer)

    def hold(self, subscription: Pausable) -> None:
        """Tie a subscription to the build."""
        if self._subscriptions is None:
            self._subscriptions = []
        self._subscriptions.append(subscription)

    def fire(self, event: Event, report: Report) -> None:
        """Call the callbacks of an event in the order of their registration; one that raises stops no other."""
        for callback in tuple(self.events.get(event, ())) if self.events else ():
            try:
                call(callback)
            except Exception as error:
                report(error)

    def pause(self) -> None:
        """Pause what the build listens to, because nobody listens to its provider."""
        self.cancelled_once = True
        for subscription in tuple(self._subscriptions or ()):
            subscription.pause()

    def resume(self) -> None:
        """Resume what the build listens to."""
        for subscription in tuple(self._subscriptions or ()):
            subscription.resume()

    def end(self, report: Report) -> list[Awaitable[object]]:
        """Undo everything: callbacks in order, then context managers, the last one entered first.

        Returns:
            What is asynchronous about it, each to be awaited by the caller.
        """
        pending: list[Awaitable[object]] = []
        self.events = self.links = self.self_listeners = None
        subscriptions, self._subscriptions = self._subscriptions, None
        for subscription in subscriptions or ():
            subscription.close()
        for task in tuple(self.tasks or ()):
            task.cancel()
            pending.append(_ended(task))
        disposers, self._disposers = self._disposers, None
        for dispose in disposers or ():
            try:
                result = dispose()
            except Exception as error:
                report(error)
            else:
                if result is not None and inspect.isawaitable(result):
                    pending.append(result)
        closers, self._closers = self._closers, None
        while closers:
            try:
                leaving = closers.pop()()
            except Exception as error:
                report(error)
            else:
                if leaving is not None:
                    # An asynchronous exit must finish before the ones entered earlier are left.
                    pending.append(_leave(leaving, closers, report))
                    break
        return pending


def _add(callbacks: list[Any], callback: Callable[..., Any]) -> Callable[[], None]:
    entry = partial(callback)  # a callback may be registered twice, and each remover removes its own
    callbacks.append(entry)
    return partial(_discard, callbacks, entry)


def _discard(callbacks: list[Any], entry: object) -> None:
    if entry in callbacks:
        callbacks.remove(entry)


async def _ended(task: asyncio.Task[Any]) -> None:
    await asyncio.wait([task])


async def _leave(first: Awaitable[object], earlier: list[Closer], report: Report) -> None:
    leaving: Awaitable[object] | None = first
    while True:
        try:
            if leaving is not None:
                await leaving
        except Exception as error:
            report(error)
        if not earlier:
            return
        try:
            leaving = earlier.pop()()
        except Exception as error:
            leaving = None
            report(error)
