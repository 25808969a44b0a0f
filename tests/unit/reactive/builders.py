"""Providers whose builds are functions of a test, where the test is not about how they are declared."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from tetherpy.reactive import (
    AsyncNotifier,
    AsyncNotifierProvider,
    FutureProvider,
    Notifier,
    NotifierProvider,
    Ref,
    StreamNotifier,
    StreamNotifierProvider,
    StreamProvider,
)


def notifier_of(build: Callable[[Ref], Any], *, auto_dispose: bool = False) -> Any:
    """Declare a notifier whose first state a function of its Ref returns."""

    class Built(Notifier[Any]):
        def build(self) -> Any:
            return build(self.ref)

    return NotifierProvider.options(auto_dispose=auto_dispose)(Built)


def async_notifier_of(build: Callable[[Ref], Any]) -> Any:
    """Declare an asynchronous notifier whose first state a function or a coroutine function of its Ref returns."""

    class Built(AsyncNotifier[Any]):
        def build(self) -> Any:
            return build(self.ref)

    return AsyncNotifierProvider(Built)


def stream_notifier_of(build: Callable[[Ref], AsyncIterator[Any]]) -> Any:
    """Declare a stream notifier whose states an asynchronous generator function of its Ref yields."""

    class Built(StreamNotifier[Any]):
        def build(self) -> AsyncIterator[Any]:
            return build(self.ref)

    return StreamNotifierProvider(Built)


def async_provider_of(kind: str, build: Callable[[Ref], Awaitable[Any]]) -> Any:
    """Declare a "future", a "stream" that stays open, or a "notifier", with the value that a coroutine returns."""

    async def stream(ref: Ref) -> AsyncIterator[Any]:
        yield await build(ref)
        await asyncio.Event().wait()

    match kind:
        case "future":
            return FutureProvider(build)
        case "stream":
            return StreamProvider(stream)
        case "notifier":
            return async_notifier_of(build)
        case _:
            raise ValueError(kind)


def built_after(event: asyncio.Event, build: Callable[[Ref], Any]) -> FutureProvider[Any]:
    """Declare a provider whose build waits for an event."""

    @FutureProvider
    async def waiting(ref: Ref) -> Any:
        await event.wait()
        return build(ref)

    return waiting
