"""What one build of a provider has asked to be told, and what has to be undone when it ends."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Any, Protocol


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


Report = Callable[[BaseException], None]


class Hooks:
    """The callbacks, subscriptions, tasks and context managers of one build; most builds have none."""

    __slots__ = (
        "cancelled_once",
        "closers",
        "disposers",
        "events",
        "links",
        "self_listeners",
        "subscriptions",
        "tasks",
    )

    def __init__(self) -> None:
        self.events: dict[Event, list[Callable[[], object]]] = {}
        self.disposers: list[Callable[[], Awaitable[object] | object]] = []
        self.closers: list[Callable[[], Awaitable[object] | None]] = []
        self.links: set[object] = set()
        self.subscriptions: list[Pausable] = []
        self.tasks: set[asyncio.Task[Any]] = set()
        self.self_listeners: list[tuple[Callable[[Any, Any], object], Callable[[Exception], object] | None]] = []
        self.cancelled_once = False

    def on(self, event: Event, callback: Callable[[], object]) -> Callable[[], None]:
        """Add a callback and return the function that removes it."""
        return _add(self.events.setdefault(event, []), callback)

    def on_dispose(self, callback: Callable[[], Awaitable[object] | object]) -> Callable[[], None]:
        """Add a callback for the end of the build and return the function that removes it."""
        return _add(self.disposers, callback)

    def fire(self, event: Event, report: Report) -> None:
        """Call the callbacks of an event in the order of their registration; one that raises stops no other."""
        for callback in tuple(self.events.get(event, ())):
            try:
                callback()
            except Exception as error:
                report(error)

    def pause(self) -> None:
        """Pause what the build listens to, because nobody listens to its provider."""
        self.cancelled_once = True
        for subscription in tuple(self.subscriptions):
            subscription.pause()

    def resume(self) -> None:
        """Resume what the build listens to."""
        for subscription in tuple(self.subscriptions):
            subscription.resume()

    def end(self, report: Report) -> list[Awaitable[object]]:
        """Undo everything: callbacks in order, then context managers, the last one entered first.

        Returns:
            What is asynchronous about it, each to be awaited by the caller.
        """
        pending: list[Awaitable[object]] = []
        for subscription in tuple(self.subscriptions):
            subscription.close()
        for task in tuple(self.tasks):
            task.cancel()
            pending.append(_ended(task))
        disposers, self.disposers = self.disposers, []
        for dispose in disposers:
            try:
                result = dispose()
            except Exception as error:
                report(error)
            else:
                if inspect.isawaitable(result):
                    pending.append(result)
        closers, self.closers = self.closers, []
        for index, close in enumerate(reversed(closers), start=1):
            try:
                result = close()
            except Exception as error:
                report(error)
            else:
                if result is not None:
                    # An asynchronous exit must finish before the ones entered earlier are left.
                    pending.append(_leave(result, closers[: len(closers) - index][::-1], report))
                    break
        self.events.clear()
        self.links.clear()
        self.self_listeners.clear()
        return pending


def _add(callbacks: list[Any], callback: Any) -> Callable[[], None]:
    entry = [callback]  # a callback may be registered twice, and each remover removes its own

    def call() -> Any:
        return entry[0]()

    callbacks.append(call)

    def remove() -> None:
        if call in callbacks:
            callbacks.remove(call)

    return remove


async def _ended(task: asyncio.Task[Any]) -> None:
    await asyncio.wait([task])


async def _leave(first: Awaitable[object], rest: list[Callable[[], Awaitable[object] | None]], report: Report) -> None:
    try:
        await first
    except Exception as error:
        report(error)
    for close in rest:
        try:
            result = close()
            if result is not None:
                await result
        except Exception as error:
            report(error)
