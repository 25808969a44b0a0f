"""The parameters of tests that apply to all providers: kind x auto-dispose x family."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import attrs
import pytest
import reactivex

from tetherpy.reactive import (
    AsyncNotifier,
    AsyncNotifierProvider,
    AsyncProviderBase,
    FutureProvider,
    Notifier,
    NotifierProvider,
    Provider,
    ProviderContainer,
    StateProvider,
    StreamNotifier,
    StreamNotifierProvider,
    StreamProvider,
)

Create = Callable[[Any], Any]
ARGUMENT = 7
"""The argument of family members in the matrix."""


def _function(create: Create) -> Callable[..., Any]:
    def produce(ref: Any, *arguments: Any) -> Any:
        return create(ref)

    return produce


def _coroutine(create: Create) -> Callable[..., Any]:
    async def produce(ref: Any, *arguments: Any) -> Any:
        return create(ref)

    return produce


def _generator(create: Create) -> Callable[..., Any]:
    async def produce(ref: Any, *arguments: Any) -> AsyncIterator[Any]:
        yield create(ref)

    return produce


def _observable(create: Create) -> Callable[..., Any]:
    def produce(ref: Any, *arguments: Any) -> Any:
        return reactivex.just(create(ref))

    return produce


class _Made:
    """A notifier whose ``build`` the test gives; families pass their argument to it."""

    create: Create

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments


def _notifier(create: Create) -> Any:
    class Made(_Made, Notifier[Any]):
        def build(self) -> Any:
            return create(self.ref)

    return _maker(Made)


def _async_notifier(create: Create) -> Any:
    class Made(_Made, AsyncNotifier[Any]):
        async def build(self) -> Any:
            return create(self.ref)

    return _maker(Made)


def _stream_notifier(create: Create) -> Any:
    class Made(_Made, StreamNotifier[Any]):
        async def build(self) -> AsyncIterator[Any]:
            yield create(self.ref)

    return _maker(Made)


def _maker(made: type[Any]) -> Callable[..., Any]:
    def make(*arguments: Any) -> Any:
        return made(*arguments)

    return make


KINDS: dict[str, tuple[Any, Callable[[Create], Any]]] = {
    "Provider": (Provider, _function),
    "StateProvider": (StateProvider, _function),
    "NotifierProvider": (NotifierProvider, _notifier),
    "FutureProvider": (FutureProvider, _coroutine),
    "StreamProvider": (StreamProvider, _generator),
    "StreamProvider-rx": (StreamProvider, _observable),
    "AsyncNotifierProvider": (AsyncNotifierProvider, _async_notifier),
    "StreamNotifierProvider": (StreamNotifierProvider, _stream_notifier),
}
SYNC = ("Provider", "StateProvider", "NotifierProvider")
NOTIFIERS = ("NotifierProvider", "AsyncNotifierProvider", "StreamNotifierProvider")
ASYNC_NOTIFIERS = ("AsyncNotifierProvider", "StreamNotifierProvider")
ASYNC = tuple(kind for kind in KINDS if kind not in SYNC)


@attrs.frozen
class Variant:
    """One combination: declares providers of a kind, with or without auto-dispose and family."""

    kind: str
    auto_dispose: bool
    family: bool

    @property
    def is_async(self) -> bool:
        return self.kind in ASYNC

    def declare(self, create: Create, **options: Any) -> Any:
        """Return a provider whose build returns ``create(ref)``; of a family, its member for ARGUMENT."""
        declared = self.declare_family(create, **options) if self.family else self._builder(options)(self._made(create))
        return declared(ARGUMENT) if self.family else declared

    def declare_family(self, create: Create, **options: Any) -> Any:
        """Return a family (of one parameter) whose members' builds return ``create(ref)``."""
        made = self._made(create)
        if self.kind in NOTIFIERS:
            return self._builder(options).family(lambda argument: made(argument))
        return self._builder(options).family(lambda ref, argument: made(ref, argument))

    def overridden(self, provider: Any, create: Create) -> Any:
        """Return the override of a declared provider, or of its whole family, with another function."""
        return (provider.of_family if self.family else provider).override_with(self._made(create))

    def _made(self, create: Create) -> Any:
        return KINDS[self.kind][1](create)

    def _builder(self, options: dict[str, Any]) -> Any:
        return KINDS[self.kind][0].options(auto_dispose=self.auto_dispose, **options)

    def __str__(self) -> str:
        return self.kind + ("-auto_dispose" if self.auto_dispose else "") + ("-family" if self.family else "")


def variants(*kinds: str, auto_dispose: bool | None = None) -> pytest.MarkDecorator:
    """Parametrize a test over the combinations, of some kinds or all."""
    cells = [
        Variant(kind, auto, family)
        for kind in kinds or KINDS
        for auto in ((False, True) if auto_dispose is None else (auto_dispose,))
        for family in (False, True)
    ]
    return pytest.mark.parametrize("variant", cells, ids=str)


async def settled(container: ProviderContainer, provider: Any) -> Any:
    """Return the value of a provider of any kind, waiting for it if it is asynchronous."""
    if isinstance(provider, AsyncProviderBase):
        future: Awaitable[Any] = container.read(provider.future)
        return await future
    return container.read(provider)


async def until(condition: Callable[[], bool]) -> None:
    """Run the loop until a condition holds; fail after a thousand turns."""
    for _ in range(1_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it has not come true")


async def pump_turns(container: ProviderContainer, count: int) -> None:
    """Run some turns of the loop, and in each what the container has deferred."""
    for _ in range(count):
        await asyncio.sleep(0)
        await container.pump()


def known(state: Any, variant: Variant) -> Any:
    """Return the data in a state of any kind, or None."""
    return state.value if variant.is_async else state


def ignore(previous: Any, value: Any) -> None:
    """Do nothing with a change."""
