"""ref.watch: which providers a change rebuilds, in which order and how often, and how loops are detected."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.unit.reactive.builders import notifier_of
from tests.unit.reactive.declared import failure_of
from tests.unit.reactive.matrix import SYNC, Variant, ignore, known, settled, variants
from tests.unit.reactive.recording import recording_builds, values_of
from tetherpy.reactive import AsyncData, AsyncLoading, Provider, ProviderContainer, Ref, StateProvider, StreamProvider
from tetherpy.reactive.errors import ChangeDuringBuildError, CircularDependencyError, ProviderError


@variants()
async def test_a_change_rebuilds_a_watcher_once(variant: Variant, container: ProviderContainer) -> None:
    builds: list[bool] = []
    count = StateProvider(lambda ref: 0)

    def create(ref: Ref) -> bool:
        builds.append(ref.watch(count) % 2 == 0)
        return builds[-1]

    provider = variant.declare(create)
    container.listen(provider, ignore)
    assert await settled(container, provider) is True
    container.read(count.notifier).state += 1
    container.read(count.notifier).state += 2
    assert builds == [True]
    await container.pump()
    assert await settled(container, provider) is False
    assert known(container.read(provider), variant) is False
    assert builds == [True, False]


async def test_a_provider_can_watch_several_others(container: ProviderContainer) -> None:
    one, two = StateProvider(lambda ref: 0), StateProvider(lambda ref: 0)
    text = Provider(lambda ref: f"{ref.watch(one)} {ref.watch(two)}")
    assert container.read(text) == "0 0"
    container.read(one.notifier).state += 1
    assert container.read(text) == "1 0"
    container.read(two.notifier).state += 1
    assert container.read(text) == "1 1"


async def test_a_read_does_not_create_a_dependency(container: ProviderContainer) -> None:
    builds: list[int] = []
    count = StateProvider(lambda ref: 0)
    provider = recording_builds(builds, lambda ref: ref.read(count))
    container.listen(provider, ignore)
    container.read(count.notifier).state += 1
    await container.pump()
    assert builds == [0]


@pytest.mark.parametrize("value", [0, 1])
async def test_an_equal_value_stops_the_propagation(value: int, container: ProviderContainer) -> None:
    builds: list[str] = []
    heard: list[Any] = []
    count = StateProvider(lambda ref: 0)

    @Provider
    def sign(ref: Ref) -> bool:
        builds.append("sign")
        return ref.watch(count) >= 0

    @Provider
    def text(ref: Ref) -> str:
        builds.append("text")
        return str(ref.watch(sign))

    container.listen(text, lambda previous, value: heard.append((previous, value)))
    assert sorted(builds) == ["sign", "text"]
    container.read(count.notifier).state = value
    await container.pump()
    assert builds[2:] == ["sign"] * value
    container.read(count.notifier).state = -1
    await container.pump()
    assert heard == [("True", "False")]


async def test_all_listeners_share_one_value(container: ProviderContainer) -> None:
    items = Provider(lambda ref: [0])
    first = container.listen(items, ignore)
    second = container.listen(items, ignore)
    assert first.read() is second.read() is container.read(items)


async def test_a_rebuild_may_watch_other_providers(container: ProviderContainer) -> None:
    builds: list[int] = []
    choice = StateProvider(lambda ref: 0)
    options = [StateProvider(lambda ref: 0), StateProvider(lambda ref: 42)]
    chosen = recording_builds(builds, lambda ref: ref.watch(options[ref.watch(choice)]))

    def used() -> list[bool]:
        return [
            option in container.elements and chosen in container.explain(option).watched_by
            for option in options
            if container.exists(option)
        ]

    container.listen(chosen, ignore)
    assert used() == [True]
    container.read(options[1].notifier).state += 1
    await container.pump()
    assert builds == [0]

    container.read(choice.notifier).state = 1
    await container.pump()
    assert builds == [0, 43]
    assert used() == [False, True]

    container.read(options[0].notifier).state += 1
    await container.pump()
    assert builds == [0, 43]
    container.read(options[1].notifier).state += 1
    await container.pump()
    assert builds == [0, 43, 44]


async def test_a_dependency_watched_twice_stays_after_one_watch_ends(container: ProviderContainer) -> None:
    choice = StateProvider(lambda ref: 0)
    first, second = StateProvider(lambda ref: 0), StateProvider(lambda ref: 42)

    @Provider
    def text(ref: Ref) -> str:
        value = ref.watch(first) if ref.watch(choice) == 0 else ref.watch(second)
        return f"{ref.watch(first)} {value}"

    heard = values_of(container, text)
    for change in (first, second, choice, second, first):
        container.read(change.notifier).state += 1
        await container.pump()
    assert heard == ["1 1", "1 43", "1 44", "2 44"]


async def test_dependents_see_one_version_of_a_value_and_its_derivations(container: ProviderContainer) -> None:
    heard: list[str] = []
    builds: list[int] = []
    count = StateProvider(lambda ref: 0)
    derived = recording_builds(builds, lambda ref: ref.watch(count))
    both = Provider(lambda ref: f"{ref.watch(count)} {ref.watch(derived)}")
    other_way = Provider(lambda ref: f"{ref.watch(derived)} {ref.watch(count)}")
    for provider in (both, other_way):
        container.listen(provider, lambda previous, value: heard.append(value))
    container.read(count.notifier).state = 1
    await container.pump()
    assert heard == ["1 1", "1 1"]
    assert builds == [0, 1]


async def test_a_rebuild_may_add_a_dependency(container: ProviderContainer) -> None:
    heard: list[int | None] = []
    count = StateProvider(lambda ref: 0)
    derived = Provider(lambda ref: ref.watch(count) + 10)

    @Provider
    def provider(ref: Ref) -> int | None:
        if ref.watch(count) == 0:
            return None
        ref.watch(derived)
        return ref.watch(derived)

    assert container.read(derived) == 10
    container.listen(provider, lambda previous, value: heard.append(value), fire_immediately=True)
    container.read(count.notifier).state += 1
    await container.pump()
    assert heard == [None, 11]


# -- errors --------------------------------------------------------------------------------------


@variants(*SYNC, auto_dispose=False)
async def test_a_repaired_error_disappears_in_all_dependents(
    variant: Variant, container: ProviderContainer, reported: list[BaseException]
) -> None:
    throws = StateProvider(lambda ref: True)

    def create(ref: Ref) -> int:
        if ref.watch(throws):
            raise OSError("no")
        return 0

    provider = variant.declare(create)
    dependent = Provider(lambda ref: ref.watch(provider))
    selecting = Provider(lambda ref: ref.watch(provider.select(lambda value: value)))
    for reader in (dependent, selecting):
        with pytest.raises(ProviderError):
            container.read(reader)
    assert [str(error) for error in reported] == ["no"]
    reported.clear()

    container.read(throws.notifier).state = False
    assert [container.read(reader) for reader in (dependent, selecting)] == [0, 0]


async def test_an_error_stays_until_a_dependency_changes(
    container: ProviderContainer, reported: list[BaseException]
) -> None:
    builds: list[int] = []
    atom = StateProvider(lambda ref: 0)
    half = Provider(lambda ref: ref.watch(atom) // 2)

    @Provider
    def provider(ref: Ref) -> int:
        builds.append(ref.watch(half))
        raise OSError("no")

    for value in (0, 1):
        container.read(atom.notifier).state = value
        with pytest.raises(ProviderError):
            container.read(provider)
    assert builds == [0]
    reported.clear()


# -- after an await ------------------------------------------------------------------------------


async def test_an_asynchronous_build_may_watch_after_its_first_await(container: ProviderContainer) -> None:
    builds: list[int] = []
    count = StateProvider(lambda ref: 0)

    @StreamProvider
    async def computed(ref: Ref) -> AsyncIterator[int]:
        await asyncio.sleep(0)
        builds.append(ref.watch(count))
        yield builds[-1]

    subscription = container.listen(computed, ignore)
    assert subscription.read() == AsyncLoading()
    assert builds == []
    assert await container.read(computed.future) == 0

    container.read(count.notifier).state = 42
    await container.pump()
    state = subscription.read()
    assert (state.is_reloading, state.value) == (True, 0)
    assert await container.read(computed.future) == 42
    assert subscription.read() == AsyncData(42)
    assert builds == [0, 42]


# -- loops ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [1, 2, 4])
async def test_a_loop_between_builds_is_an_error_that_names_it(
    length: int, container: ProviderContainer, reported: list[BaseException]
) -> None:
    providers: list[Any] = []

    def node(index: int) -> Any:
        return Provider(lambda ref: ref.watch(providers[(index + 1) % length]), name=f"p{index}")

    providers.extend(node(index) for index in range(length))
    with pytest.raises(ProviderError) as caught:
        container.read(providers[0])
    cause: BaseException | None = caught.value
    while isinstance(cause, ProviderError):
        cause = cause.__cause__
    assert isinstance(cause, CircularDependencyError)
    assert cause.cycle == (*providers, providers[0])
    reported.clear()


@pytest.mark.parametrize("length", [2, 4])
async def test_a_loop_that_closes_after_the_builds_is_an_error_that_names_it(
    length: int, container: ProviderContainer
) -> None:
    providers = [Provider(lambda ref: ref, name=f"p{index}") for index in range(length)]
    refs = [container.read(provider) for provider in providers]
    for index in range(length - 1):
        refs[index].watch(providers[index + 1])
    for use in (lambda: refs[-1].watch(providers[0]), lambda: refs[-1].listen(providers[0], ignore)):
        with pytest.raises(CircularDependencyError) as caught:
            use()
        assert caught.value.cycle == (providers[-1], *providers)


async def test_a_loop_through_an_unbuilt_provider_is_an_error_that_names_it(container: ProviderContainer) -> None:
    c = Provider(lambda ref: ref)
    a = Provider(lambda ref: ref.watch(c) is None)
    b = Provider(lambda ref: ref.watch(a))
    container.read(a)
    with pytest.raises(CircularDependencyError):
        container.read(c).watch(b)


async def test_a_provider_cannot_listen_to_itself(container: ProviderContainer, reported: list[BaseException]) -> None:
    provider = notifier_of(lambda ref: ref.listen(provider, ignore))
    with pytest.raises(ProviderError) as caught:
        container.read(provider)
    assert isinstance(caught.value.__cause__, CircularDependencyError)
    reported.clear()


# -- changing others -----------------------------------------------------------------------------


@pytest.mark.parametrize("watches", [False, True])
async def test_a_build_cannot_change_another_provider(
    watches: bool, container: ProviderContainer, reported: list[BaseException]
) -> None:
    counter = StateProvider(lambda ref: 0)
    sibling = Provider(lambda ref: ref.watch(counter))
    controller = container.read(counter.notifier)

    @Provider
    def provider(ref: Ref) -> int:
        if watches:
            ref.watch(counter)
            ref.watch(sibling)
        controller.state += 1
        return 0

    error = failure_of(container, provider)
    assert isinstance(error, ChangeDuringBuildError)
    assert (error.provider, error.building) == (counter, provider)
    assert container.read(counter) == 0
    reported.clear()


async def test_a_refused_change_does_not_affect_the_build(container: ProviderContainer) -> None:
    counter = StateProvider(lambda ref: 0)
    controller = container.read(counter.notifier)

    @Provider
    def provider(ref: Ref) -> int:
        with pytest.raises(ChangeDuringBuildError):
            controller.state += 1
        return 42

    assert container.read(provider) == 42


async def test_a_listener_may_change_the_provider_it_listens_to(container: ProviderContainer) -> None:
    source = StateProvider(lambda ref: 0)
    derived = Provider(lambda ref: ref.watch(source))

    def count(previous: int | None, value: int) -> None:
        container.read(changes.notifier).state += 1

    def build(ref: Ref) -> int:
        ref.listen(derived, count)
        return 0

    changes = notifier_of(build)
    total = Provider(lambda ref: ref.watch(changes) + ref.watch(derived))
    heard: list[int] = []
    assert container.read(changes) == 0
    container.listen(total, lambda previous, value: heard.append(value))
    container.read(source.notifier).state = 42
    await container.pump()
    assert container.read(changes) == 1
    assert heard[-1] == 43
