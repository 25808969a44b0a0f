"""Asynchronous providers of every kind: their states, and the ``future`` that follows them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.unit.reactive.declared import build_that_raises
from tests.unit.reactive.matrix import ASYNC, Variant, ignore, settled, variants
from tests.unit.reactive.recording import recording_builds
from tetherpy.reactive import (
    AsyncData,
    AsyncError,
    AsyncLoading,
    AsyncProviderBase,
    FutureProvider,
    Provider,
    ProviderContainer,
    Ref,
    StateProvider,
)
from tetherpy.reactive.errors import ProviderDisposedError, ProviderError

PULLED = tuple(kind for kind in ASYNC if kind != "StreamProvider-rx")
"""The kinds whose builds need a turn before they give a value."""


class Gate:
    """A build that waits until the test gives its result, for each build."""

    def __init__(self) -> None:
        self.builds: list[asyncio.Future[int]] = []

    async def __call__(self, ref: Ref | None = None) -> int:
        self.builds.append(asyncio.get_running_loop().create_future())
        return await self.builds[-1]


async def turn() -> None:
    """Run the callbacks that are ready."""
    for _ in range(4):
        await asyncio.sleep(0)


# -- states --------------------------------------------------------------------------------------


@variants(*PULLED)
async def test_loading_comes_before_data(variant: Variant, container: ProviderContainer) -> None:
    provider = variant.declare(lambda ref: 42)
    told: list[Any] = []
    container.listen(provider, lambda previous, value: told.append((previous, value)), fire_immediately=True)
    assert container.read(provider) == AsyncLoading()
    assert await container.read(provider.future) == 42
    assert container.read(provider) == AsyncData(42)
    assert told == [(None, AsyncLoading()), (AsyncLoading(), AsyncData(42))]


@variants(*ASYNC)
async def test_a_failed_build_is_an_error_state_and_its_future_raises(
    variant: Variant, container: ProviderContainer, reported: list[BaseException]
) -> None:
    error = OSError("no")
    provider = variant.declare(build_that_raises(error))
    container.listen(provider, ignore)
    for _ in range(2):
        with pytest.raises(OSError, match="no") as caught:
            await container.read(provider.future)
        assert caught.value is error
    assert container.read(provider) == AsyncError(error)
    assert reported == [error]
    reported.clear()


async def test_an_immediate_value_or_error_has_no_loading_state(
    container: ProviderContainer, reported: list[BaseException]
) -> None:
    error = OSError("no")

    @FutureProvider
    def gives(ref: Ref) -> int:
        return 42

    @FutureProvider
    def fails(ref: Ref) -> int:
        raise error

    told: list[Any] = []
    for provider in (gives, fails):
        container.listen(provider, lambda previous, value: told.append(value), fire_immediately=True)
    assert told == [AsyncData(42), AsyncError(error)]
    assert await container.read(gives.future) == 42
    with pytest.raises(OSError, match="no"):
        await container.read(fails.future)
    reported.clear()


def test_an_immediate_value_needs_no_event_loop() -> None:
    with ProviderContainer() as container:
        assert container.read(FutureProvider(lambda ref: 42)) == AsyncData(42)


@variants(*PULLED, auto_dispose=False)
async def test_a_refresh_keeps_the_data_and_a_reload_shows_loading(
    variant: Variant, container: ProviderContainer
) -> None:
    dep = StateProvider(lambda ref: 0)
    provider = variant.declare(lambda ref: ref.watch(dep))
    container.listen(provider, ignore)
    assert await container.read(provider.future) == 0

    assert container.refresh(provider) == AsyncLoading[int]().copy_with_previous(AsyncData(0))
    assert await container.read(provider.future) == 0
    container.invalidate(provider)
    assert container.read(provider).is_refreshing
    assert await container.read(provider.future) == 0

    reloading = AsyncLoading[int]().copy_with_previous(AsyncData(0), is_refresh=False)
    container.read(dep.notifier).state += 1
    if variant.kind in ("FutureProvider", "AsyncNotifierProvider", "StreamProvider", "StreamNotifierProvider"):
        assert container.read(provider) == reloading
    assert await container.read(provider.future) == 1
    assert container.read(provider) == AsyncData(1)

    container.read(dep.notifier).state += 1
    assert container.refresh(provider).is_reloading, "a changed dependency has priority over a refresh"
    assert await container.read(provider.future) == 2


@variants(*PULLED, auto_dispose=False)
async def test_a_refresh_during_a_reload_is_part_of_the_reload(variant: Variant, container: ProviderContainer) -> None:
    provider = variant.declare(lambda ref: 0)
    container.listen(provider, ignore)
    await container.read(provider.future)
    container.invalidate(provider, as_reload=True)
    assert container.read(provider).is_reloading
    container.invalidate(provider)
    assert container.read(provider).is_reloading
    await container.read(provider.future)
    assert container.refresh(provider).is_refreshing


@variants(*PULLED, auto_dispose=False)
async def test_an_error_after_loading_keeps_the_data(
    variant: Variant, container: ProviderContainer, reported: list[BaseException]
) -> None:
    results: list[Any] = [42, OSError("no"), 43]

    def create(ref: Ref) -> int:
        result = results.pop(0)
        if isinstance(result, Exception):
            raise result
        return int(result)

    provider = variant.declare(create)
    container.listen(provider, ignore)
    assert await container.read(provider.future) == 42
    container.invalidate(provider)
    assert container.read(provider).is_refreshing
    with pytest.raises(OSError, match="no"):
        await container.read(provider.future)
    state = container.read(provider)
    assert isinstance(state, AsyncError)
    assert state.value == 42
    container.invalidate(provider)
    assert await container.read(provider.future) == 43
    assert container.read(provider) == AsyncData(43)
    reported.clear()


@variants(*PULLED, auto_dispose=False)
async def test_a_refresh_while_loading_notifies_no_listener(variant: Variant, container: ProviderContainer) -> None:
    dep = StateProvider(lambda ref: 0)
    provider = variant.declare(lambda ref: ref.watch(dep))
    told: list[Any] = []
    container.listen(provider, lambda previous, value: told.append(value), fire_immediately=True)
    container.refresh(provider)
    container.read(dep.notifier).state += 1
    container.refresh(provider)
    assert told == [AsyncLoading()]
    assert await container.read(provider.future) == 1
    assert told == [AsyncLoading(), AsyncData(1)]


@variants(*ASYNC, auto_dispose=False)
async def test_none_is_a_valid_value(variant: Variant, container: ProviderContainer) -> None:
    provider = variant.declare(lambda ref: None)
    assert await container.read(provider.future) is None
    assert container.read(provider) == AsyncData(None)


# -- what a later build does to an earlier one ---------------------------------------------------


@pytest.mark.parametrize("ends", ["data", "error"])
@pytest.mark.parametrize("by", ["dependency", "invalidate"])
@pytest.mark.parametrize("listened", [False, True])
async def test_a_replaced_build_publishes_nothing(
    by: str, ends: str, listened: bool, container: ProviderContainer, reported: list[BaseException]
) -> None:
    gate = Gate()
    dep = StateProvider(lambda ref: 0)

    @FutureProvider
    async def provider(ref: Ref) -> int:
        ref.watch(dep)
        return await gate()

    told: list[Any] = []
    if listened:
        container.listen(provider, lambda previous, value: told.append(value))
    future = asyncio.ensure_future(_awaited(container.read(provider.future)))
    await turn()
    if by == "dependency":
        container.read(dep.notifier).state += 1
    else:
        container.invalidate(provider)
    container.read(provider)
    await turn()
    assert len(gate.builds) == 2
    if not gate.builds[0].done():
        gate.builds[0].set_result(42)
    await turn()
    assert (told, container.read(provider), future.done()) == ([], AsyncLoading(), False)

    if ends == "data":
        gate.builds[1].set_result(21)
        assert await future == 21
        assert container.read(provider) == AsyncData(21)
    else:
        gate.builds[1].set_exception(OSError("no"))
        with pytest.raises(OSError, match="no"):
            await future
        assert isinstance(container.read(provider), AsyncError)
    reported.clear()


async def _awaited(future: Any) -> Any:
    return await future


async def test_a_replaced_build_is_cancelled(container: ProviderContainer) -> None:
    log: list[str] = []
    begun = asyncio.Event()

    @FutureProvider
    async def provider(ref: Ref) -> int:
        log.append("begun")
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            log.append("cancelled")
            raise
        return 0

    container.listen(provider, ignore)
    await begun.wait()
    container.invalidate(provider)
    await turn()
    assert log == ["begun", "cancelled", "begun"]


async def test_a_pending_future_follows_a_changed_dependency_without_listeners(container: ProviderContainer) -> None:
    gates = {0: Gate(), 1: Gate()}
    dep = StateProvider(lambda ref: 0)

    @FutureProvider
    async def provider(ref: Ref) -> int:
        return await gates[ref.watch(dep)]()

    future = asyncio.ensure_future(_awaited(container.read(provider.future)))
    await turn()
    container.read(dep.notifier).state = 1
    await container.pump()
    await turn()
    assert gates[0].builds[0].cancelled(), "the reader waits for the new value and does not need the old build"
    gates[1].builds[0].set_result(1)
    assert await asyncio.wait_for(future, 25) == 1


# -- future --------------------------------------------------------------------------------------


@variants(*PULLED)
async def test_disposal_ends_a_pending_future_with_an_error(variant: Variant) -> None:
    container = ProviderContainer()
    provider = variant.declare(lambda ref: 42)
    future = container.read(provider.future)
    container.dispose()
    with pytest.raises(ProviderDisposedError) as caught:
        await future
    assert caught.value.provider is provider
    await container.aclose()


async def test_a_failed_future_without_awaiters_reports_nothing(reported: list[BaseException]) -> None:
    provider = FutureProvider(lambda ref: 0)
    override = provider.override_with_value(AsyncError(OSError("no")))
    with ProviderContainer(overrides=[override], on_error=lambda error, _: reported.append(error)) as container:
        assert isinstance(container.read(provider), AsyncError)
        container.read(provider.future)
    assert reported == []


@variants(*ASYNC)
async def test_a_watcher_of_the_future_is_rebuilt_only_for_a_new_future(
    variant: Variant, container: ProviderContainer
) -> None:
    builds: list[Any] = []
    dep = StateProvider(lambda ref: 42)
    provider = variant.declare(lambda ref: ref.watch(dep))
    dependent = recording_builds(
        builds, lambda ref: ref.watch(provider.future), Provider.options(auto_dispose=variant.auto_dispose)
    )
    subscription = container.listen(dependent, ignore)
    first = subscription.read()
    assert await first == 42
    await container.pump()
    assert subscription.read() is first
    assert len(builds) == 1

    container.read(dep.notifier).state = 21
    await settled(container, provider)
    assert await subscription.read() == 21
    assert len(builds) == 2


@variants(*PULLED, auto_dispose=False)
async def test_a_rebuild_while_loading_keeps_the_future(variant: Variant, container: ProviderContainer) -> None:
    dep = StateProvider(lambda ref: 0)
    provider = variant.declare(lambda ref: ref.watch(dep))
    told: list[Any] = []
    container.listen(provider.future, lambda previous, value: told.append(value), fire_immediately=True)
    container.invalidate(provider)
    await asyncio.sleep(0)
    assert len(told) == 1
    assert await told[0] == 0


@variants(*ASYNC, auto_dispose=False)
async def test_the_future_can_be_refreshed(variant: Variant, container: ProviderContainer) -> None:
    results = [0, 1]
    provider = variant.declare(lambda ref: results.pop(0))
    assert await container.read(provider.future) == 0
    assert await container.refresh(provider.future) == 1


@variants(*ASYNC, auto_dispose=True)
async def test_a_listener_of_the_future_keeps_the_provider(variant: Variant, container: ProviderContainer) -> None:
    log: list[str] = []
    provider = variant.declare(lambda ref: ref.on_dispose(lambda: log.append("disposed")))
    subscription = container.listen(provider.future, ignore)
    await subscription.read()
    await container.pump()
    assert log == []
    subscription.close()
    await container.pump()
    assert log == ["disposed"]


async def test_listening_to_the_future_of_an_outdated_provider_notifies_no_listener(
    container: ProviderContainer,
) -> None:
    told: list[Any] = []
    dep = FutureProvider(lambda ref: 0)

    @Provider
    def provider(ref: Ref) -> int:
        ref.listen(dep.future, lambda previous, value: told.append(value))
        return 0

    container.read(dep)
    container.invalidate(dep)
    container.read(provider)
    assert told == []


async def test_two_invalidations_in_a_chain_rebuild_its_end_once(container: ProviderContainer) -> None:
    builds: list[int] = []
    root = FutureProvider.auto_dispose(lambda ref: 0)

    @FutureProvider.auto_dispose
    async def middle(ref: Ref) -> int:
        return await ref.watch(root.future)

    @FutureProvider.auto_dispose
    async def leaf(ref: Ref) -> int:
        builds.append(0)
        return await ref.watch(middle.future) + 2

    container.listen(leaf, ignore)
    assert await container.read(leaf.future) == 2
    container.invalidate(root)
    container.invalidate(leaf)
    assert len(builds) == 1
    await container.pump()
    assert await container.read(leaf.future) == 2
    await container.pump()
    assert len(builds) == 2


async def test_a_cancelled_awaiter_does_not_cancel_others(container: ProviderContainer) -> None:
    gate = Gate()
    provider = FutureProvider(gate)
    waiters = [asyncio.ensure_future(_awaited(container.read(provider.future))) for _ in range(3)]
    await turn()
    waiters[0].cancel()
    await turn()
    gate.builds[0].set_result(42)
    assert await asyncio.gather(*waiters[1:]) == [42, 42]
    assert waiters[0].cancelled()


async def test_removing_a_cancelled_awaiter_compares_it_with_no_other(
    container: ProviderContainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[object] = []

    class Compared(asyncio.Future[Any]):
        def __eq__(self, other: object) -> bool:
            compared.append(other)
            return self is other

        __hash__ = asyncio.Future.__hash__

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "create_future", lambda: Compared(loop=loop))
    provider = FutureProvider(Gate())
    waiters = [asyncio.create_task(_awaited(container.read(provider.future))) for _ in range(50)]
    await turn()
    for waiter in reversed(waiters):
        waiter.cancel()
    await asyncio.wait(waiters)
    assert all(waiter.cancelled() for waiter in waiters)
    assert len(compared) <= 50


# -- still loading -------------------------------------------------------------------------------


@variants(*ASYNC)
async def test_require_value_of_a_loading_dependency_is_loading(variant: Variant, container: ProviderContainer) -> None:
    gate = Gate()
    source = FutureProvider(gate)
    between = Provider(lambda ref: ref.watch(source).require_value)
    direct = variant.declare(lambda ref: ref.watch(source).require_value * 2)
    through = variant.declare(lambda ref: ref.watch(between) * 2)
    for provider in (direct, through):
        container.listen(provider, ignore)
    await turn()
    futures = [asyncio.ensure_future(_awaited(container.read(p.future))) for p in (direct, through)]
    assert [container.read(p) for p in (direct, through)] == [AsyncLoading()] * 2
    gate.builds[0].set_result(42)
    assert await asyncio.wait_for(asyncio.gather(*futures), 25) == [84, 84]
    assert [container.read(p) for p in (direct, through)] == [AsyncData(84)] * 2


async def test_a_required_value_that_never_arrives_ends_with_its_provider() -> None:
    container = ProviderContainer()
    source = FutureProvider(Gate())

    @FutureProvider
    def provider(ref: Ref) -> int:
        return ref.watch(source).require_value

    future = container.read(provider.future)
    await container.aclose()
    with pytest.raises(ProviderDisposedError):
        await future


async def test_a_failed_dependency_is_an_error_of_the_state(
    container: ProviderContainer, reported: list[BaseException]
) -> None:
    @Provider
    def source(ref: Ref) -> int:
        raise OSError("no")

    @FutureProvider
    async def provider(ref: Ref) -> int:
        return ref.watch(source)

    with pytest.raises(ProviderError):
        await container.read(provider.future)
    state = container.read(provider)
    assert isinstance(state, AsyncError)
    assert isinstance(state.error, ProviderError)
    assert [type(error) for error in reported] == [OSError]
    reported.clear()


def test_every_asynchronous_kind_has_the_same_selectors() -> None:
    for kind in ASYNC:
        provider = Variant(kind, auto_dispose=False, family=False).declare(lambda ref: 0)
        assert isinstance(provider, AsyncProviderBase)
        assert "future" in repr(provider.future)
        assert provider.future.name.endswith(".future")
