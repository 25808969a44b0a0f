"""Lifecycle callbacks of a Ref: added and removed listeners, cancel and resume, disposal, manual invalidation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.reactive.declared import build_that_raises
from tests.unit.reactive.matrix import Variant, ignore, settled, variants
from tests.unit.reactive.recording import recording_disposal
from tetherpy.reactive import FutureProvider, Provider, ProviderContainer, Ref, StateProvider
from tetherpy.reactive.errors import ProviderError, UnmountedRefError

Hook = Callable[[Ref, Callable[[], Any]], Callable[[], None]]
HOOKS: dict[str, Hook] = {
    "on_add_listener": lambda ref, callback: ref.on_add_listener(callback),
    "on_remove_listener": lambda ref, callback: ref.on_remove_listener(callback),
    "on_cancel": lambda ref, callback: ref.on_cancel(callback),
    "on_resume": lambda ref, callback: ref.on_resume(callback),
    "on_manual_invalidation": lambda ref, callback: ref.on_manual_invalidation(callback),
    "on_dispose": lambda ref, callback: ref.on_dispose(callback),
}
every_hook = pytest.mark.parametrize("hook", HOOKS.values(), ids=HOOKS)


def fire_all(container: ProviderContainer, provider: Any) -> None:
    """Trigger each callback once (``on_cancel`` twice) for a provider that is built and unused."""
    subscription = container.listen(provider, ignore)
    subscription.pause()
    subscription.resume()
    subscription.close()
    container.invalidate(provider)


def times(hook: Hook) -> int:
    return 2 if hook is HOOKS["on_cancel"] else 1


# -- common to all hooks -------------------------------------------------------------------------


@every_hook
@variants(auto_dispose=False)
async def test_callbacks_run_in_order_of_registration(
    variant: Variant, hook: Hook, container: ProviderContainer
) -> None:
    log: list[str] = []

    def create(ref: Ref) -> int:
        hook(ref, lambda: log.append("first"))
        hook(ref, lambda: log.append("second"))
        return 0

    provider = variant.declare(create)
    await settled(container, provider)
    log.clear()
    fire_all(container, provider)
    assert log[:2] == ["first", "second"]
    assert log == ["first", "second"] * (len(log) // 2)


@every_hook
async def test_a_removed_callback_is_not_called(hook: Hook, container: ProviderContainer) -> None:
    log: list[str] = []

    @Provider
    def provider(ref: Ref) -> list[Callable[[], None]]:
        callback = lambda: log.append("called")  # noqa: E731  registered twice, removed once
        return [hook(ref, callback), hook(ref, callback)]

    removers = container.read(provider)
    removers[0]()
    removers[0]()
    fire_all(container, provider)
    assert len(log) == times(hook)

    for remove in container.read(provider):
        remove()
    log.clear()
    fire_all(container, provider)
    assert log == []


@every_hook
async def test_callbacks_belong_to_one_build(hook: Hook, container: ProviderContainer) -> None:
    log: list[int] = []
    builds: list[int] = []

    @Provider
    def provider(ref: Ref) -> int:
        build = len(builds)
        builds.append(build)
        hook(ref, lambda: log.append(build))
        return build

    container.read(provider)
    container.refresh(provider)
    log.clear()
    fire_all(container, provider)
    assert log == [1] * times(hook)


@every_hook
async def test_an_error_in_a_callback_affects_no_other(
    hook: Hook, container: ProviderContainer, reported: list[BaseException]
) -> None:
    log: list[str] = []

    @Provider
    def provider(ref: Ref) -> int:
        hook(ref, lambda: 1 // 0)
        hook(ref, lambda: log.append("called"))
        return 0

    container.read(provider)
    fire_all(container, provider)
    assert log == ["called"] * times(hook)
    assert [type(error) for error in reported] == [ZeroDivisionError] * times(hook)
    reported.clear()


# -- listeners -----------------------------------------------------------------------------------


def counting(log: list[str], build: Callable[[Ref], int] = lambda ref: 0, declare: Any = Provider) -> Any:
    """Declare a provider that logs its lifecycle callbacks."""

    def logged(ref: Ref) -> int:
        ref.on_add_listener(lambda: log.append("add"))
        ref.on_remove_listener(lambda: log.append("remove"))
        ref.on_cancel(lambda: log.append("cancel"))
        ref.on_resume(lambda: log.append("resume"))
        ref.on_dispose(lambda: log.append("dispose"))
        return build(ref)

    return declare(logged)


async def test_each_listener_of_a_container_is_counted(container: ProviderContainer) -> None:
    log: list[str] = []
    provider = counting(log)
    first = container.listen(provider, ignore)
    second = container.listen(provider, ignore)
    assert log == ["add", "add"]
    first.close()
    assert log == ["add", "add", "remove"]
    second.close()
    assert sorted(log[3:]) == ["cancel", "remove"]
    log.clear()

    container.listen(provider, ignore)
    assert sorted(log) == ["add", "resume"]
    container.listen(provider, ignore)
    assert log[2:] == ["add"]


async def test_each_listener_of_another_provider_is_counted(container: ProviderContainer) -> None:
    log: list[str] = []
    provider = counting(log)
    user = Provider(lambda ref: ref)
    container.listen(user, ignore)
    ref = container.read(user)

    first = ref.listen(provider, ignore)
    second = ref.listen(provider, ignore)
    assert log == ["add", "add"]
    first.close()
    second.close()
    assert sorted(log[2:]) == ["cancel", "remove", "remove"]
    log.clear()
    ref.listen(provider, ignore)
    assert sorted(log) == ["add", "resume"]


async def test_a_watching_provider_is_counted_once(container: ProviderContainer) -> None:
    log: list[str] = []
    provider = counting(log)
    users = [Provider(lambda ref: ref) for _ in range(2)]
    for user in users:
        ref = container.listen(user, ignore).read()
        ref.watch(provider)
        ref.watch(provider)
    assert log == ["add", "add"]

    container.refresh(users[0])
    assert log[2:] == ["remove"]
    container.refresh(users[1])
    assert sorted(log[3:]) == ["cancel", "remove"]


async def test_cancel_is_called_when_the_last_watcher_is_removed(container: ProviderContainer) -> None:
    log: list[str] = []
    provider = counting(log)
    watching = True

    def create(ref: Ref) -> int:
        return ref.watch(provider) if watching else 0

    users = [Provider(create) for _ in range(2)]
    for user in users:
        container.listen(user, ignore)
    log.clear()
    watching = False
    container.invalidate(users[0])
    await container.pump()
    assert "cancel" not in log
    container.invalidate(users[1])
    await container.pump()
    assert log.count("cancel") == 1
    assert "resume" not in log


async def test_a_listener_of_a_selector_is_counted(container: ProviderContainer) -> None:
    log: list[str] = []
    provider = counting(log, declare=FutureProvider)
    first = container.listen(provider.future, ignore)
    second = container.listen(provider.select(lambda state: state.value), ignore)
    assert log == ["add", "add"]
    first.close()
    assert log[2:] == ["remove"]
    second.close()
    assert sorted(log[3:]) == ["cancel", "remove"]
    log.clear()
    third = container.listen(provider.future, ignore)
    assert sorted(log) == ["add", "resume"]
    log.clear()
    third.pause()
    third.resume()
    assert log == ["cancel", "resume"]
    container.invalidate(provider)
    assert log[2:] == ["dispose"]


async def test_cancel_and_resume_start_over_with_each_build(container: ProviderContainer) -> None:
    log: list[str] = []
    provider = counting(log)
    container.listen(provider, ignore).close()
    container.invalidate(provider)
    log.clear()
    container.listen(provider, ignore).close()
    assert "resume" not in log
    container.listen(provider, ignore)
    assert log.count("resume") == 1


async def test_the_first_listener_does_not_call_resume(container: ProviderContainer) -> None:
    log: list[str] = []
    container.listen(counting(log), ignore)
    assert log == ["add"]


async def test_a_weak_listener_is_not_counted(container: ProviderContainer) -> None:
    log: list[str] = []
    provider = counting(log)
    container.read(provider)
    with container.listen(provider, ignore, weak=True) as subscription:
        subscription.pause()
        subscription.resume()
    assert log == []


# -- disposal ------------------------------------------------------------------------------------


@variants()
async def test_on_dispose_runs_once_for_each_build(variant: Variant, container: ProviderContainer) -> None:
    log: list[int] = []
    builds: list[int] = []
    deps = [StateProvider(lambda ref: 0) for _ in range(2)]

    def create(ref: Ref) -> int:
        build = len(builds)
        builds.append(build)
        ref.on_dispose(lambda: log.append(build))
        return sum(ref.watch(dep) for dep in deps)

    provider = variant.declare(create)
    with container.listen(provider, ignore):
        await settled(container, provider)
        for dep in deps:
            container.read(dep.notifier).state += 1
        await container.pump()
        assert await settled(container, provider) == 2
        assert log == [0]
        container.invalidate(provider)
        assert log == [0, 1]
        await container.pump()
        assert await settled(container, provider) == 2
        assert log == [0, 1]
    container.dispose()
    assert log == [0, 1, 2]


async def test_an_outdated_provider_that_is_disposed_runs_its_disposers_once() -> None:
    log: list[str] = []
    container = ProviderContainer()
    dep = StateProvider(lambda ref: 0)

    @Provider
    def provider(ref: Ref) -> int:
        log.append("built")
        ref.on_dispose(lambda: log.append("disposed"))
        return ref.watch(dep)

    container.listen(provider, ignore)
    container.read(dep.notifier).state += 1
    container.dispose()
    assert log == ["built", "disposed"]


async def test_on_dispose_may_change_other_providers(container: ProviderContainer) -> None:
    counter = StateProvider(lambda ref: 0)
    controller = container.read(counter.notifier)

    @Provider.auto_dispose
    def provider(ref: Ref) -> None:
        ref.on_dispose(lambda: controller.update(lambda count: count + 1))

    container.listen(provider, ignore).close()
    assert controller.state == 0
    await container.pump()
    assert controller.state == 1


@pytest.mark.parametrize("end", ["invalidate", "dispose"])
async def test_a_ref_cannot_be_used_in_on_dispose(end: str) -> None:
    caught: list[type[BaseException]] = []
    container = ProviderContainer()
    other = Provider(lambda ref: 0)

    @Provider
    def provider(ref: Ref) -> int:
        def use() -> None:
            assert not ref.mounted
            for method in (ref.watch, ref.read, ref.exists):
                with pytest.raises(UnmountedRefError):
                    method(other)
            with pytest.raises(UnmountedRefError):
                ref.on_dispose(lambda: None)
            caught.append(UnmountedRefError)

        ref.on_dispose(use)
        return 0

    container.read(provider)
    if end == "invalidate":
        container.invalidate(provider)
        assert container.read(provider) == 0
    container.dispose()
    assert caught == [UnmountedRefError] * (2 if end == "invalidate" else 1)


# -- the end of a Ref ----------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["disposed", "rebuilt"])
async def test_a_ref_cannot_be_used_after_its_build(end: str) -> None:
    container = ProviderContainer()
    dep = StateProvider(lambda ref: 0)
    other = Provider(lambda ref: 0)

    @Provider
    def provider(ref: Ref) -> Ref:
        ref.watch(dep)
        return ref

    ref = container.read(provider)
    assert ref.mounted
    container.read(dep.notifier).state += 1
    assert ref.mounted, "a build must end before the next one starts"
    if end == "rebuilt":
        container.read(provider)
    else:
        container.dispose()
    assert not ref.mounted

    uses: list[Callable[[], Any]] = [
        lambda: ref.watch(other),
        lambda: ref.read(other),
        lambda: ref.listen(other, ignore),
        lambda: ref.refresh(other),
        lambda: ref.invalidate(dep),
        ref.invalidate_self,
        lambda: ref.exists(other),
        ref.keep_alive,
        lambda: ref.cache_for(1),
        ref.notify_listeners,
        *(lambda hook=hook: hook(ref, lambda: None) for hook in HOOKS.values()),
    ]
    for use in uses:
        with pytest.raises(UnmountedRefError) as caught:
            use()
        assert caught.value.provider is provider
    with pytest.raises(UnmountedRefError):
        ref.create_task(asyncio.sleep(0))
    container.dispose()


async def test_the_ref_of_an_async_build_ends_when_the_next_begins(container: ProviderContainer) -> None:
    refs: list[Ref] = []
    begun = asyncio.Event()

    @FutureProvider
    async def provider(ref: Ref) -> int:
        refs.append(ref)
        begun.set()
        await asyncio.Event().wait()
        return 0

    container.listen(provider.future, ignore)
    await begun.wait()
    begun.clear()
    container.invalidate(provider)
    container.read(provider)
    await begun.wait()
    assert [ref.mounted for ref in refs] == [False, True]


# -- about this build ----------------------------------------------------------------------------


@variants(auto_dispose=False)
async def test_ref_has_the_reason_of_the_build(variant: Variant, container: ProviderContainer) -> None:
    seen: list[tuple[bool, bool, bool]] = []
    dep = StateProvider(lambda ref: 0)

    def create(ref: Ref) -> int:
        seen.append((ref.is_first_build, ref.is_refresh, ref.is_reload))
        return ref.watch(dep)

    provider = variant.declare(create)
    await settled(container, provider)
    container.invalidate(provider)
    await settled(container, provider)
    container.read(dep.notifier).state += 1
    await settled(container, provider)
    container.invalidate(provider, as_reload=True)
    await settled(container, provider)
    container.invalidate(provider)
    container.invalidate(provider, as_reload=True)
    await settled(container, provider)
    first, refresh, reload = (True, False, False), (False, True, False), (False, False, True)
    assert seen == [first, refresh, reload, reload, reload]


async def test_is_paused_follows_listeners_and_their_pauses(container: ProviderContainer) -> None:
    during: list[bool] = []

    @Provider
    def provider(ref: Ref) -> Ref:
        during.append(ref.is_paused)
        return ref

    ref = container.read(provider)
    assert during == [False]
    assert ref.is_paused
    first = container.listen(provider, ignore)
    second = container.listen(provider, ignore)
    assert not ref.is_paused
    first.pause()
    assert not ref.is_paused
    second.pause()
    assert ref.is_paused
    first.resume()
    assert not ref.is_paused
    first.close()
    assert ref.is_paused


# -- invalidating oneself ------------------------------------------------------------------------


async def test_invalidate_self_disposes_immediately_and_builds_on_the_next_turn(container: ProviderContainer) -> None:
    log: list[Any] = []
    dep = StateProvider(lambda ref: 0)
    provider = recording_disposal(log, build=lambda ref: (ref.watch(dep), ref), declare=Provider)
    container.listen(provider.select(lambda value: value[0]), lambda previous, value: log.append((previous, value)))
    container.read(provider)[1].invalidate_self()
    container.read(dep.notifier).state = 1
    assert log == ["disposed"]
    await container.pump()
    assert log == ["disposed", (0, 1)]


# -- manual invalidation -------------------------------------------------------------------------


INVALIDATIONS: dict[str, Callable[[ProviderContainer, Ref, Any], Any]] = {
    "invalidate_self": lambda container, ref, provider: ref.invalidate_self(),
    "invalidate_self as_reload": lambda container, ref, provider: ref.invalidate_self(as_reload=True),
    "container.invalidate": lambda container, ref, provider: container.invalidate(provider),
    "container.invalidate as_reload": lambda container, ref, provider: container.invalidate(provider, as_reload=True),
    "container.refresh": lambda container, ref, provider: container.refresh(provider),
    "ref.invalidate": lambda container, ref, provider: container.read(USER).invalidate(provider),
    "ref.refresh": lambda container, ref, provider: container.read(USER).refresh(provider),
    "family": lambda container, ref, provider: container.invalidate(provider.of_family or provider),
}
USER = Provider(lambda ref: ref)


@pytest.mark.parametrize("invalidation", INVALIDATIONS.values(), ids=INVALIDATIONS)
@variants(auto_dispose=False)
async def test_on_manual_invalidation_is_called_immediately(
    variant: Variant, invalidation: Any, container: ProviderContainer
) -> None:
    log: list[str] = []
    refs: list[Ref] = []

    def create(ref: Ref) -> int:
        refs.append(ref)
        ref.on_manual_invalidation(lambda: log.append("invalidated"))
        ref.on_dispose(lambda: log.append("disposed"))
        return 0

    provider = variant.declare(create)
    await settled(container, provider)
    invalidation(container, refs[0], provider)
    assert log == ["invalidated", "disposed"]


async def test_a_changed_dependency_or_a_disposal_is_not_a_manual_invalidation() -> None:
    log: list[str] = []
    dep = StateProvider(lambda ref: 0)

    @Provider
    def provider(ref: Ref) -> int:
        ref.on_manual_invalidation(lambda: log.append("invalidated"))
        return ref.watch(dep)

    with ProviderContainer() as container:
        container.listen(provider, ignore)
        container.read(dep.notifier).state += 1
        await container.pump()
    assert log == []


async def test_a_callback_may_pass_an_invalidation_to_another_provider(container: ProviderContainer) -> None:
    builds: list[str] = []

    @Provider.family
    def source(ref: Ref, key: int) -> int:
        builds.append(f"source {key}")
        ref.on_manual_invalidation(lambda: builds.append(f"asked {key}"))
        return key

    def passes_on(name: str, target: Any) -> Any:
        def create(ref: Ref) -> int:
            builds.append(name)
            ref.on_manual_invalidation(lambda: ref.invalidate(target))
            return ref.watch(target)

        return Provider(create, name=name)

    middle = passes_on("middle", source(1))
    top = passes_on("top", middle)
    other = passes_on("other", source(1))
    for provider in (top, other):
        container.listen(provider, ignore)
    container.read(source(2))
    builds.clear()

    container.invalidate(top)
    assert builds == ["asked 1"]
    await container.pump()
    assert sorted(builds[1:]) == ["middle", "source 1", "top"]


# -- notify_listeners ----------------------------------------------------------------------------


async def test_notify_listeners_reports_a_change_made_in_place(container: ProviderContainer) -> None:
    log: list[Any] = []
    items: list[int] = []

    @Provider
    def provider(ref: Ref) -> list[int]:
        ref.notify_listeners()
        log.append(ref)
        return items

    length = Provider(lambda ref: len(ref.watch(provider)))
    subscription = container.listen(provider, lambda previous, value: log.append(list(value)))
    container.listen(length, lambda previous, value: log.append((previous, value)))
    ref = log.pop()
    assert log == []

    items.append(1)
    ref.notify_listeners()
    assert log == [[1]]
    await container.pump()
    assert log == [[1], (0, 1)]

    subscription.pause()
    ref.notify_listeners()
    assert len(log) == 2
    subscription.resume()
    log.clear()
    container.invalidate(provider)
    await container.pump()
    assert [entry for entry in log if not isinstance(entry, Ref)] == [], "a build reports only its result"


# -- a future and its provider's end -------------------------------------------------------------


async def test_a_failed_provider_can_be_listened_to(
    container: ProviderContainer, reported: list[BaseException]
) -> None:
    log: list[str] = []
    provider = counting(log, build_that_raises(OSError("no")))
    subscription = container.listen(provider, ignore)
    assert log == ["add"]
    with pytest.raises(ProviderError):
        subscription.read()
    reported.clear()
