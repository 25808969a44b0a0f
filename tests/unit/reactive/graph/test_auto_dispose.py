"""Auto-dispose: which unused providers are disposed, in which order, and how they are kept."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.reactive.declared import cached_for
from tests.unit.reactive.matrix import ASYNC, SYNC, Variant, ignore, pump_turns, settled, variants
from tests.unit.reactive.recording import numbered, recording_disposal, recording_life
from tetherpy.reactive import FutureProvider, KeepAliveLink, Provider, ProviderContainer, Ref, StateProvider
from tetherpy.testing import Clock


@variants()
async def test_only_auto_dispose_providers_are_disposed_when_unused(
    variant: Variant, container: ProviderContainer
) -> None:
    provider = variant.declare(lambda ref: 0)
    assert provider.is_auto_dispose is variant.auto_dispose

    assert await settled(container, provider) == 0
    await container.pump()

    assert container.exists(provider) is not variant.auto_dispose


@variants(auto_dispose=True)
async def test_closing_the_last_listener_disposes_the_provider_after_a_turn(
    variant: Variant, container: ProviderContainer
) -> None:
    log: list[str] = []

    def create(ref: Ref) -> int:
        ref.on_dispose(lambda: log.append("disposed"))
        return 0

    provider = variant.declare(create)
    subscription = container.listen(provider, ignore)
    await settled(container, provider)
    await container.pump()
    assert log == []

    subscription.close()
    assert log == []

    await container.pump()
    assert log == ["disposed"]
    assert not container.exists(provider)
    assert provider not in container.all_providers()


@variants(auto_dispose=True)
async def test_a_disposed_provider_is_built_again(variant: Variant, container: ProviderContainer) -> None:
    builds: list[int] = []
    provider = variant.declare(numbered(builds))
    assert await settled(container, provider) == 0
    await container.pump()
    assert await settled(container, provider) == 1


async def test_a_dependency_that_is_not_watched_again_is_disposed(container: ProviderContainer) -> None:
    log: list[str] = []
    dependency = recording_disposal(log)
    depends = StateProvider(lambda ref: True)

    @Provider.auto_dispose
    def provider(ref: Ref) -> int:
        return ref.watch(dependency) if ref.watch(depends) else -1

    container.listen(provider, ignore)
    container.read(depends.notifier).state = False
    await container.pump()

    assert log == ["disposed"]
    assert set(container.all_providers()) == {provider, depends}


async def test_auto_dispose_works_through_a_child_container(container: ProviderContainer) -> None:
    log: list[str] = []
    provider = recording_life(log)
    child = ProviderContainer(parent=ProviderContainer(parent=container))
    child.listen(provider, ignore).close()
    await child.pump()
    assert log == ["built", "disposed"]
    assert not container.exists(provider)
    assert not child.exists(provider)
    assert child.elements == container.elements == {}

    child.listen(provider, ignore)
    assert log == ["built", "disposed", "built"]


async def test_dependents_are_disposed_before_dependencies(container: ProviderContainer) -> None:
    log: list[str] = []
    a = recording_disposal(log, "a", lambda ref: 1)
    b = recording_disposal(log, "b", lambda ref: ref.watch(a))
    container.listen(a, ignore).close()
    container.listen(b, ignore).close()
    assert log == []
    await container.pump()
    assert log == ["b", "a"]


async def test_a_disposed_provider_is_not_disposed_again_with_another(container: ProviderContainer) -> None:
    log: list[str] = []

    @Provider.auto_dispose.family
    def provider(ref: Ref, name: str) -> str:
        ref.on_dispose(lambda: log.append(name))
        return name

    container.listen(provider("a"), ignore).close()
    await container.pump()
    assert log == ["a"]

    container.listen(provider("a"), ignore)
    container.listen(provider("b"), ignore).close()
    await container.pump()
    assert log == ["a", "b"]


async def test_disposal_of_the_container_disposes_each_provider_once() -> None:
    log: list[str] = []
    container = ProviderContainer()
    child = ProviderContainer(parent=container)
    provider = recording_disposal(log)
    child.listen(provider, ignore).close()
    child.dispose()
    assert log == []
    other = ProviderContainer(parent=container)
    container.listen(provider, ignore).close()
    container.dispose()
    assert log == ["disposed"]
    assert other.disposed


async def test_a_listener_added_in_the_same_turn_keeps_the_state(container: ProviderContainer) -> None:
    log: list[str] = []
    provider = recording_disposal(log)
    first = container.listen(provider, ignore)
    other = container.listen(provider, ignore)
    first.close()
    await container.pump()
    assert log == []

    other.close()
    last = container.listen(provider, ignore)
    await container.pump()
    assert log == []

    last.close()
    await container.pump()
    assert log == ["disposed"]


async def test_a_listener_in_another_provider_keeps_the_state(container: ProviderContainer) -> None:
    log: list[str] = []
    listened = recording_disposal(log)

    @Provider.auto_dispose
    def provider(ref: Ref) -> int:
        ref.listen(listened, ignore)
        return 0

    user = container.listen(provider, ignore)
    container.listen(listened, ignore).close()
    await container.pump()
    assert log == []

    user.close()
    await container.pump()
    assert log == ["disposed"]


async def test_an_outdated_provider_is_disposed_and_reported_once(container: ProviderContainer) -> None:
    log: list[str] = []
    dep = StateProvider(lambda ref: 0)
    provider = recording_disposal(log, build=lambda ref: ref.watch(dep))
    container.read(provider)
    container.read(dep.notifier).state += 1
    await container.pump()

    assert log == ["disposed"]
    assert not container.exists(provider)


async def test_weak_listeners_do_not_keep_the_value_and_may_read_it(container: ProviderContainer) -> None:
    log: list[str] = []
    provider = recording_life(log)
    with container.listen(provider, ignore, weak=True) as subscription:
        assert log == []
        assert subscription.read() == 0
        assert log == ["built"]
        await container.pump()
        assert log == ["built", "disposed"]
        assert subscription.read() == 0
        assert log == ["built", "disposed", "built"]


@pytest.mark.parametrize("member", [False, True], ids=["provider", "family"])
async def test_an_override_survives_the_disposal_of_its_provider(member: bool, container: ProviderContainer) -> None:
    made: list[str] = []

    def original(ref: Ref, *key: int) -> str:
        made.append("original")
        return "original"

    def replacement(ref: Ref, *key: int) -> str:
        made.append("replacement")
        return "replacement"

    declare = Provider.options(auto_dispose=True, dependencies=[])
    declared: Any = declare.family(original) if member else declare(original)
    provider = declared(1) if member else declared
    middle = ProviderContainer(parent=container, overrides=[declared.override_with(replacement)])
    leaf = ProviderContainer(parent=middle)

    for _ in range(2):
        assert leaf.read(provider) == "replacement"
        assert middle.all_providers() == leaf.all_providers() == [provider]
        assert container.all_providers() == []
        await container.pump()
        assert middle.all_providers() == leaf.all_providers() == []
    assert made == ["replacement"] * 2

    # Disposal of the parent's provider keeps that of the child.
    assert container.read(provider) == "original"
    kept = leaf.listen(provider, ignore)
    await container.pump()
    assert not container.exists(provider)
    assert leaf.exists(provider)
    assert kept.read() == "replacement"


# -- keep_alive ----------------------------------------------------------------------------------


@variants(*SYNC, auto_dispose=True)
async def test_keep_alive_keeps_the_state_until_the_last_link_is_closed(
    variant: Variant, container: ProviderContainer
) -> None:
    links: list[KeepAliveLink] = []

    def create(ref: Ref) -> int:
        links.extend([ref.keep_alive(), ref.keep_alive()])
        return 0

    provider = variant.declare(create)
    container.read(provider)
    await container.pump()
    assert container.exists(provider)

    links[0].close()
    links[0].close()
    await container.pump()
    assert container.exists(provider)
    assert [link.closed for link in links] == [True, False]

    links[1].close()
    await container.pump()
    assert not container.exists(provider)


@variants(*ASYNC, auto_dispose=True)
async def test_keep_alive_keeps_an_asynchronous_one(variant: Variant, container: ProviderContainer) -> None:
    links: list[KeepAliveLink] = []

    def create(ref: Ref) -> int:
        links.append(ref.keep_alive())
        return 0

    provider = variant.declare(create)
    assert await settled(container, provider) == 0
    await container.pump()
    assert container.exists(provider)

    links[0].close()
    await container.pump()
    assert not container.exists(provider)


async def test_a_link_closed_during_the_build_keeps_nothing(container: ProviderContainer) -> None:
    log: list[str] = []

    @Provider.auto_dispose
    def provider(ref: Ref) -> str:
        log.append("built")
        ref.on_dispose(lambda: log.append("disposed"))
        ref.keep_alive().close()
        return "value"

    assert container.read(provider) == "value"
    assert container.exists(provider)
    await container.pump()
    assert log == ["built", "disposed"]
    assert not container.exists(provider)


async def test_a_rebuild_closes_the_links(container: ProviderContainer) -> None:
    dep = StateProvider(lambda ref: 0)
    links: list[KeepAliveLink] = []

    @Provider.auto_dispose
    def provider(ref: Ref) -> int:
        if not links:
            links.append(ref.keep_alive())
        return ref.watch(dep)

    container.read(provider)
    await container.pump()
    assert container.exists(provider)

    container.read(dep.notifier).state += 1
    container.read(provider)
    assert links[0].closed
    await container.pump()
    assert not container.exists(provider)


@pytest.mark.parametrize("by", ["container", "ref", "self"])
async def test_an_invalidated_provider_that_only_a_link_kept_is_disposed(by: str, container: ProviderContainer) -> None:
    refs: list[Ref] = []

    @Provider
    def other(ref: Ref) -> Ref:
        return ref

    @Provider.auto_dispose
    def provider(ref: Ref) -> int:
        ref.keep_alive()
        refs.append(ref)
        return 0

    container.read(provider)
    outside = container.read(other)
    match by:
        case "container":
            container.invalidate(provider)
        case "ref":
            outside.invalidate(provider)
        case _:
            refs[0].invalidate_self()
    await container.pump()
    assert container.all_providers() == [other]


async def test_closing_a_link_keeps_providers_with_listeners(container: ProviderContainer) -> None:
    links: list[KeepAliveLink] = []

    @Provider.auto_dispose
    def provider(ref: Ref) -> int:
        links.append(ref.keep_alive())
        return 0

    subscription = container.listen(provider, ignore)
    links[0].close()
    await container.pump()
    assert container.exists(provider)

    subscription.close()
    await container.pump()
    assert not container.exists(provider)


async def test_a_new_link_in_the_same_turn_keeps_the_state(container: ProviderContainer) -> None:
    refs: list[Ref] = []
    links: list[KeepAliveLink] = []

    @Provider.auto_dispose
    def provider(ref: Ref) -> int:
        refs.append(ref)
        links.append(ref.keep_alive())
        return 0

    container.read(provider)
    links[0].close()
    again = refs[0].keep_alive()
    await container.pump()
    assert container.exists(provider)

    again.close()
    await container.pump()
    assert not container.exists(provider)


async def test_an_awaited_build_is_kept_until_it_has_finished(container: ProviderContainer) -> None:
    log: list[str] = []
    ready = asyncio.Event()

    @FutureProvider.auto_dispose
    async def provider(ref: Ref) -> int:
        ref.on_dispose(lambda: log.append("disposed"))
        return await ref.watch(part.future) + 1

    @FutureProvider.auto_dispose
    async def part(ref: Ref) -> int:
        ref.on_dispose(lambda: log.append("part disposed"))
        await ready.wait()
        return 41

    future = container.read(provider.future)
    await pump_turns(container, 3)
    assert log == []
    ready.set()
    assert await future == 42
    await container.pump()
    assert log == ["disposed", "part disposed"]


# -- cache_for -----------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["listen", "read", "watch"])
async def test_cache_for_keeps_a_state_after_its_last_use(how: str, container: ProviderContainer, clock: Clock) -> None:
    provider = cached_for(10)
    user = Provider.auto_dispose(lambda ref: ref.watch(provider))
    match how:
        case "listen":
            subscription = container.listen(provider, ignore)
        case "read":
            container.read(provider)
        case _:
            container.read(user)
    await container.pump()
    if how == "listen":
        await clock.advance(100)
        assert container.exists(provider), "the time starts when the last listener is removed"
        subscription.close()
    await clock.advance(9)
    assert container.exists(provider)
    if how == "listen":
        with container.listen(provider, ignore):
            await clock.advance(100)
        assert container.exists(provider), "a new listener restarts the time"
        await clock.advance(9)
        assert container.exists(provider)
    await clock.advance(2)
    await container.pump()
    assert not container.exists(provider)


async def test_cache_for_no_time_ends_with_the_last_listener(container: ProviderContainer, clock: Clock) -> None:
    provider = cached_for(0)
    with container.listen(provider, ignore):
        await clock.advance(100)
        assert container.exists(provider)
    await clock.advance(1)
    await container.pump()
    assert not container.exists(provider)


async def test_a_rebuild_resets_cache_for(container: ProviderContainer) -> None:
    caches = True

    @Provider.auto_dispose
    def provider(ref: Ref) -> int:
        if caches:
            ref.cache_for(timedelta(seconds=10))
        return 0

    container.read(provider)
    caches = False
    container.refresh(provider)
    await container.pump()
    assert not container.exists(provider)
