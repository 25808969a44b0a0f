"""select_async: awaits a selected part of an asynchronous provider's data."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.unit.reactive.builders import async_notifier_of, built_after
from tests.unit.reactive.declared import build_that_raises
from tests.unit.reactive.matrix import ASYNC, Variant, ignore, variants
from tetherpy.reactive import AsyncData, AsyncError, AsyncLoading, FutureProvider, ProviderContainer, Ref, StateProvider


@pytest.mark.parametrize("auto_dispose", [False, True])
async def test_a_watcher_is_rebuilt_when_the_selected_part_differs(
    auto_dispose: bool, container: ProviderContainer
) -> None:
    builds: list[int] = []
    number = StateProvider(lambda ref: 0)

    @FutureProvider.options(auto_dispose=auto_dispose)
    async def source(ref: Ref) -> int:
        return ref.watch(number)

    @FutureProvider.options(auto_dispose=auto_dispose)
    async def digit(ref: Ref) -> int:
        builds.append(0)
        return await ref.watch(source.select_async(lambda value: value % 10))

    for provider in (source, digit):
        container.listen(provider, ignore)
    assert container.read(digit) == AsyncLoading()
    assert await container.read(digit.future) == 0
    for value, count in ((1, 2), (11, 2), (12, 3)):
        container.read(number.notifier).state = value
        state = container.read(source)
        assert state.is_reloading
        assert not container.read(digit).is_loading
        assert await container.read(source.future) == value
        assert await container.read(digit.future) == value % 10
        assert len(builds) == count


@variants(*ASYNC, auto_dispose=False)
async def test_a_part_can_be_awaited_from_a_container(
    variant: Variant, container: ProviderContainer, reported: list[BaseException]
) -> None:
    provider = variant.declare(lambda ref: 21)
    failing = variant.declare(lambda ref: int("no"))
    assert await container.read(provider.select_async(lambda value: value * 2)) == 42
    with pytest.raises(ZeroDivisionError):
        await container.read(provider.select_async(lambda value: value // 0))
    with pytest.raises(ValueError, match="no"):
        await container.read(failing.select_async(lambda value: value))
    reported.clear()


async def test_a_subscription_reads_the_current_part(container: ProviderContainer) -> None:
    number = StateProvider(lambda ref: 0)

    @FutureProvider
    async def provider(ref: Ref) -> int:
        return ref.watch(number)

    subscription = container.listen(provider.select_async(lambda value: value % 2 == 0), ignore)
    assert await subscription.read() is True
    for value, expected in ((2, True), (3, False)):
        container.read(number.notifier).state = value
        await container.read(provider.future)
        assert await subscription.read() is expected


@pytest.mark.parametrize("fails", ["source", "selector"])
async def test_a_subscription_reads_the_current_error(
    fails: str, container: ProviderContainer, reported: list[BaseException]
) -> None:
    number = StateProvider(lambda ref: 0)

    @FutureProvider
    async def provider(ref: Ref) -> int:
        value = ref.watch(number)
        if fails == "source":
            raise OSError(str(value))
        return value

    def select(value: int) -> int:
        raise OSError(str(value))

    subscription = container.listen(provider.select_async(select), ignore)
    for value in (0, 2):
        container.read(number.notifier).state = value
        with pytest.raises(OSError, match=str(value)):
            await container.read(provider.select_async(select))
        with pytest.raises(OSError, match=str(value)):
            await subscription.read()
    reported.clear()


@pytest.mark.parametrize("state", [AsyncLoading(), AsyncData(0), AsyncError(OSError("no"))], ids=repr)
async def test_fire_immediately_delivers_an_awaitable(
    state: Any, container: ProviderContainer, reported: list[BaseException]
) -> None:
    ready = asyncio.Event()
    slow = built_after(ready, lambda ref: 0)

    @FutureProvider
    def quick(ref: Ref) -> int:
        if state.has_error:
            raise state.error
        return 0

    provider = slow if isinstance(state, AsyncLoading) else quick
    told: list[Any] = []
    container.listen(
        provider.select_async(lambda value: value % 2 == 0),
        lambda previous, value: told.append((previous, value)),
        fire_immediately=True,
    )
    ((previous, future),) = told
    assert previous is None
    ready.set()
    if state.has_error:
        with pytest.raises(OSError, match="no"):
            await future
    else:
        assert await future is True
    assert len(told) == 1
    reported.clear()


async def test_a_pending_part_survives_states_that_do_not_settle_it(container: ProviderContainer) -> None:
    provider = async_notifier_of(lambda ref: asyncio.Event().wait())
    subscription = container.listen(provider.select_async(lambda value: value + 40), ignore)
    pending = subscription.read()
    notifier = container.read(provider.notifier)
    notifier.state = AsyncLoading[int]().copy_with_previous(AsyncData(0))
    notifier.state = AsyncLoading[int]().copy_with_previous(AsyncError(OSError("no")))
    notifier.state = AsyncLoading()
    notifier.state = AsyncData(2)
    assert await pending == 42


@pytest.mark.parametrize("fails", [False, True])
async def test_an_awaited_part_survives_the_build_that_requested_it(
    fails: bool, container: ProviderContainer, reported: list[BaseException]
) -> None:
    ready = asyncio.Event()
    source = built_after(ready, build_that_raises(OSError("no")) if fails else lambda ref: 21)
    asker = StateProvider(lambda ref: ref)
    container.listen(source, ignore)
    part = container.listen(asker, ignore).read().watch(source.select_async(lambda value: value * 2))
    container.invalidate(asker)
    await container.pump()
    ready.set()
    if fails:
        with pytest.raises(OSError, match="no"):
            await asyncio.wait_for(part, 25)
    else:
        assert await asyncio.wait_for(part, 25) == 42
    reported.clear()


async def test_a_part_can_be_awaited_again_after_its_provider_was_disposed(container: ProviderContainer) -> None:
    source = FutureProvider.auto_dispose(lambda ref: "test")

    @FutureProvider.auto_dispose
    async def user(ref: Ref) -> str:
        return await ref.watch(source.select_async(str.upper))

    first = container.listen(source.future, ignore)
    await first.read()
    second = container.listen(user.future, ignore)
    first.close()
    assert await asyncio.wait_for(second.read(), 25) == "TEST"
