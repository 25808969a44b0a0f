"""Paused subscriptions and providers without listeners, and the events delivered on resume."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from reactivex.subject import Subject

from tests.unit.reactive.matrix import ASYNC, SYNC, Variant, ignore, variants
from tests.unit.reactive.recording import recording_life
from tetherpy.reactive import AsyncData, FutureProvider, Provider, ProviderContainer, Ref, StateProvider, StreamProvider
from tetherpy.reactive.errors import ProviderError


def active(container: ProviderContainer, provider: Any) -> bool:
    """Return whether the provider has a listener that is not paused."""
    return container.elements[provider].active > 0


# -- one subscription ----------------------------------------------------------------------------


async def test_missed_changes_are_delivered_once(container: ProviderContainer) -> None:
    number = StateProvider(lambda ref: 0)
    told: list[Any] = []
    subscription = container.listen(number, lambda previous, value: told.append(value))
    subscription.pause()
    subscription.resume()
    assert told == []

    subscription.pause()
    for value in (1, 2):
        container.read(number.notifier).state = value
    assert told == []
    assert subscription.read() == 2
    subscription.resume()
    assert told == [2]
    subscription.resume()
    assert told == [2]


async def test_a_missed_error_is_delivered_once(container: ProviderContainer, reported: list[BaseException]) -> None:
    errors = [OSError("first"), OSError("second"), OSError("third")]

    @Provider
    def provider(ref: Ref) -> int:
        raise errors.pop(0)

    told: list[Any] = []
    subscription = container.listen(provider, ignore, on_error=told.append)
    subscription.pause()
    for _ in range(2):
        with pytest.raises(ProviderError):
            container.refresh(provider)
    assert told == []
    subscription.resume()
    assert [str(error) for error in told] == ["third"]
    subscription.resume()
    assert len(told) == 1
    reported.clear()


async def test_pauses_are_counted(container: ProviderContainer) -> None:
    number = StateProvider(lambda ref: 0)
    subscription = container.listen(number, ignore)
    for _ in range(3):
        subscription.pause()
    for left in (True, True, False):
        assert subscription.is_paused
        subscription.resume()
        assert subscription.is_paused is left
    assert active(container, number)


@pytest.mark.parametrize("view", ["provider", "future", "select", "select_async"])
async def test_a_provider_is_paused_when_all_its_listeners_are(view: str, container: ProviderContainer) -> None:
    provider = FutureProvider(lambda ref: 0)
    listened: Any = {
        "provider": provider,
        "future": provider.future,
        "select": provider.select(lambda state: state.value),
        "select_async": provider.select_async(str),
    }[view]
    first = container.listen(listened, ignore)
    second = container.listen(provider, ignore)
    weak = container.listen(listened, ignore, weak=True)
    assert active(container, provider)
    first.pause()
    assert active(container, provider)
    second.pause()
    assert not active(container, provider)
    weak.pause()
    weak.resume()
    assert not active(container, provider)
    first.resume()
    assert active(container, provider)
    first.pause()
    first.close()
    assert not active(container, provider)
    container.listen(listened, ignore)
    assert active(container, provider)


async def test_a_provider_is_paused_when_all_its_watchers_are(container: ProviderContainer) -> None:
    source = Provider(lambda ref: 0)
    users = [Provider(lambda ref: ref.watch(source)), Provider(lambda ref: ref.listen(source, ignore))]
    subscriptions: list[Any] = [container.listen(user, ignore) for user in users]
    assert active(container, source)
    subscriptions[0].close()
    assert active(container, source)
    subscriptions[1].close()
    assert not active(container, source)


@variants(*SYNC)
async def test_a_paused_provider_is_rebuilt_only_on_resume(variant: Variant, container: ProviderContainer) -> None:
    builds: list[int] = []
    dep = StateProvider(lambda ref: 0)

    def create(ref: Ref) -> int:
        builds.append(ref.watch(dep))
        return builds[-1]

    provider = variant.declare(create)
    told: list[Any] = []
    subscription = container.listen(provider, lambda previous, value: told.append((previous, value)))
    subscription.pause()
    for _ in range(2):
        container.read(dep.notifier).state += 1
        await container.pump()
    assert builds == [0]
    subscription.resume()
    await container.pump()
    assert (builds, told) == ([0, 2], [(0, 2)])


async def test_a_listened_provider_is_paused_with_its_listener(container: ProviderContainer) -> None:
    number = StateProvider(lambda ref: 0)
    told: list[int] = []

    @Provider
    def provider(ref: Ref) -> int:
        ref.listen(number, lambda previous, value: told.append(value))
        return 0

    subscription = container.listen(provider, ignore)
    subscription.pause()
    assert not active(container, number)
    for value in (1, 2):
        container.read(number.notifier).state = value
    assert told == []
    subscription.resume()
    assert told == [2]


# -- asynchronous sources ------------------------------------------------------------------------


@variants(*ASYNC, auto_dispose=False)
async def test_an_awaited_future_keeps_a_paused_provider_running(
    variant: Variant, container: ProviderContainer
) -> None:
    provider = variant.declare(lambda ref: 0)
    future = container.read(provider.future)
    assert await future == 0
    await container.pump()
    assert not active(container, provider)


async def test_an_async_generator_is_advanced_only_with_an_active_listener(container: ProviderContainer) -> None:
    pulled: list[int] = []
    wanted = asyncio.Event()

    @StreamProvider
    async def numbers(ref: Ref) -> AsyncIterator[int]:
        for number in range(3):
            await wanted.wait()
            wanted.clear()
            pulled.append(number)
            yield number

    arrived: asyncio.Queue[Any] = asyncio.Queue()
    subscription = container.listen(numbers, lambda previous, value: arrived.put_nowait(value))
    wanted.set()
    assert await arrived.get() == AsyncData(0)

    subscription.pause()
    wanted.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(pulled) <= 2
    assert container.read(numbers) == AsyncData(0)
    subscription.resume()
    assert await arrived.get() == AsyncData(1)


async def test_a_paused_observable_keeps_the_last_event(container: ProviderContainer) -> None:
    subject: Subject[int] = Subject()
    provider = StreamProvider(lambda ref: subject)
    told: list[Any] = []
    subscription = container.listen(provider, lambda previous, value: told.append(value))
    subject.on_next(1)
    subscription.pause()
    for number in (2, 3):
        subject.on_next(number)
    assert told == [AsyncData(1)]
    subscription.resume()
    assert told == [AsyncData(1), AsyncData(3)]


async def test_the_subscription_to_an_observable_ends_with_the_provider(container: ProviderContainer) -> None:
    subject: Subject[int] = Subject()
    provider = StreamProvider.auto_dispose(lambda ref: subject)
    subscription = container.listen(provider, ignore)
    assert len(subject.observers) == 1
    subscription.close()
    await container.pump()
    assert subject.observers == []


# -- dependencies of a build under way -----------------------------------------------------------


async def test_dependencies_of_the_last_build_are_kept_until_the_next_has_ended(container: ProviderContainer) -> None:
    log: list[str] = []
    gate = asyncio.Event()
    gate.set()
    dependency = recording_life(log)
    watches = True

    @FutureProvider
    async def provider(ref: Ref) -> int:
        await gate.wait()
        return ref.watch(dependency) if watches else -1

    container.listen(provider, ignore)
    assert await container.read(provider.future) == 0

    gate.clear()
    container.invalidate(provider)
    await container.pump()
    assert log == ["built"]
    gate.set()
    assert await container.read(provider.future) == 0
    assert log == ["built"]

    watches = False
    container.invalidate(provider)
    await container.pump()
    assert await container.read(provider.future) == -1
    await container.pump()
    assert log == ["built", "disposed"]


async def test_a_short_lived_listener_does_not_pause_a_source_for_others(container: ProviderContainer) -> None:
    subject: Subject[int] = Subject()
    numbers = StreamProvider.auto_dispose(lambda ref: subject)

    @FutureProvider.auto_dispose
    async def one(ref: Ref) -> int:
        return await ref.watch(numbers.future)

    @FutureProvider.auto_dispose
    async def two(ref: Ref) -> int:
        return await ref.watch(numbers.future)

    container.listen(one, ignore)
    for _ in range(2):
        visit = container.listen(two, ignore)
        await asyncio.sleep(0)
        visit.close()
        await container.pump()
    subject.on_next(7)
    assert await container.read(one.future) == 7
