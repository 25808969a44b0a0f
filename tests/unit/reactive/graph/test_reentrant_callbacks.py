"""Callbacks may change, read and dispose any provider: they run after the propagation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from reactivex import Subject

from tests.unit.reactive.builders import notifier_of
from tests.unit.reactive.matrix import ignore, until
from tests.unit.reactive.recording import observer_with
from tetherpy.reactive import FutureProvider, Provider, ProviderContainer, Ref, StateProvider, StreamProvider
from tetherpy.reactive.errors import ReadDuringDisposalError

# -- messages come in the order of the changes ---------------------------------------------------


def _batch(container: ProviderContainer, change: Callable[[], None]) -> None:
    with container.batch():
        change()


def _fire(container: ProviderContainer, change: Callable[[], None]) -> None:
    source = StateProvider(lambda ref: 0)
    container.listen(source, lambda previous, value: change(), fire_immediately=True)


def _resume(container: ProviderContainer, change: Callable[[], None]) -> None:
    source = StateProvider(lambda ref: 0)
    subscription = container.listen(source, lambda previous, value: change())
    subscription.pause()
    container.read(source.notifier).state = 1
    subscription.resume()


def _notify(container: ProviderContainer, change: Callable[[], None]) -> None:
    source = Provider(lambda ref: ref)
    container.listen(source, lambda previous, value: change())
    container.read(source).notify_listeners()


def _invalidate(container: ProviderContainer, change: Callable[[], None]) -> None:
    def create(ref: Ref) -> None:
        ref.on_dispose(change)

    provider = Provider(create)
    container.read(provider)
    container.invalidate(provider)


WAYS = {"batch": _batch, "fire": _fire, "resume": _resume, "notify": _notify, "invalidate": _invalidate}


@pytest.mark.parametrize("with_loop", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_listeners_get_the_newest_value_last(way: str, with_loop: bool) -> None:
    first = StateProvider(lambda ref: 0, name="first")
    last = StateProvider(lambda ref: 0, name="last")
    observed: list[tuple[Any, Any]] = []

    def observe(context: Any, previous: Any, value: Any) -> None:
        if context.provider is last:
            observed.append((previous, value))

    def run() -> None:
        heard: list[tuple[Any, Any]] = []
        with ProviderContainer(observers=[observer_with(did_update_provider=observe)]) as container:

            def change() -> None:
                container.read(first.notifier).state += 1
                container.read(last.notifier).state += 1

            container.listen(first, lambda _, value: container.read(last.notifier).update(lambda old: old + 10))
            container.listen(last, lambda previous, value: heard.append((previous, value)))
            WAYS[way](container, change)
            assert heard[-1][1] == container.read(last) == 11
            assert [previous for previous, _ in heard] == [0, *(value for _, value in heard[:-1])]
            assert observed == heard

    async def main() -> None:
        run()

    asyncio.run(main()) if with_loop else run()


# -- changes made while a build links ------------------------------------------------------------


@pytest.mark.parametrize("outer", ["read", "inside another build"])
@pytest.mark.parametrize("way", ["on_resume invalidates", "on_add_listener sets", "a kept event"])
def test_a_change_caused_by_a_new_listener_is_visible_to_it(way: str, outer: str) -> None:
    builds: list[int] = []
    subject: Subject[int] = Subject()

    @Provider
    def refreshed(ref: Ref) -> int:
        builds.append(1)
        ref.on_resume(ref.invalidate_self)
        return len(builds)

    stream = StreamProvider(lambda ref: subject)

    def connect(ref: Ref) -> str:
        ref.on_add_listener(lambda: setattr(container.read(connection.notifier), "state", "connected"))
        return "idle"

    connection = notifier_of(connect)
    source: Any = {"on_resume invalidates": refreshed, "on_add_listener sets": connection, "a kept event": stream}[way]
    tab: Provider[Any] = Provider(lambda ref: ref.watch(source))
    page: Provider[Any] = Provider(lambda ref: ref.watch(tab))
    with ProviderContainer() as container:
        if way != "on_add_listener sets":
            container.listen(source, ignore).pause()
            subject.on_next(2)
        shown = page if outer == "inside another build" else tab
        container.listen(shown, ignore)
        tab_value = container.read(shown)
        assert tab_value == container.read(source)
        if way == "on_resume invalidates":
            assert tab_value == 2
        elif way == "on_add_listener sets":
            assert tab_value == "connected"
        else:
            assert tab_value.value == 2


def test_a_listener_that_sets_a_state_during_a_read_leaves_no_stale_value() -> None:
    passed = StateProvider(lambda ref: 0)
    trigger = StateProvider(lambda ref: 0)
    half = Provider(lambda ref: ref.watch(trigger) // 2)
    node = Provider(lambda ref: (ref.watch(passed.select(lambda value: value)), ref.watch(half)))
    with ProviderContainer() as container:
        container.listen(half, lambda _, value: container.read(passed.notifier).update(lambda old: old + 1))
        container.read(node)
        with container.batch():
            container.read(trigger.notifier).state = 4
            container.read(node)
        assert container.read(node) == (container.read(passed), 2) == (1, 2)
        container.read(passed.notifier).state = 9
        assert container.read(node) == (9, 2)


# -- pausing and coming back ---------------------------------------------------------------------


@pytest.mark.parametrize("before", ["after an await", "in a method"])
async def test_a_listener_created_while_its_provider_is_paused_is_resumed(
    before: str, container: ProviderContainer
) -> None:
    source = StateProvider(lambda ref: 0)
    heard: list[int] = []

    @FutureProvider
    async def provider(ref: Ref) -> Ref:
        if before == "after an await":
            await asyncio.sleep(0)
            ref.listen(source, lambda _, value: heard.append(value))
        return ref

    ref = await container.read(provider.future)
    await container.pump()
    if before == "in a method":
        ref.listen(source, lambda _, value: heard.append(value))
    with container.listen(provider, ignore):
        container.read(source.notifier).state = 1
        assert heard == [1]
    container.read(source.notifier).state = 2
    assert heard == [1], "no listener is left"
    with container.listen(provider, ignore):
        assert heard == [1, 2]


def test_a_listener_of_a_build_without_listeners_is_paused() -> None:
    source = StateProvider(lambda ref: 0)
    heard: list[int] = []
    provider = Provider(lambda ref: ref.listen(source, lambda _, value: heard.append(value)))
    with ProviderContainer() as container:
        container.read(provider)
        container.read(source.notifier).state = 1
        assert heard == []
        with container.listen(provider, ignore):
            assert heard == [1]


def test_on_cancel_may_invalidate_its_provider() -> None:
    builds: list[int] = []
    source = Provider.auto_dispose(lambda ref: 1)

    @Provider
    def provider(ref: Ref) -> int:
        builds.append(ref.watch(source))
        ref.on_cancel(ref.invalidate_self)
        return len(builds)

    with ProviderContainer() as container:
        for turn in (1, 2, 3):
            with container.listen(provider, ignore):
                assert container.read(provider) == turn


async def test_on_cancel_may_add_a_listener(container: ProviderContainer) -> None:
    gate: asyncio.Queue[int] = asyncio.Queue()
    grace: list[Any] = []

    @StreamProvider
    async def stream(ref: Ref) -> AsyncIterator[int]:
        ref.on_cancel(lambda: grace or grace.append(container.listen(stream, ignore)))
        while True:
            yield await gate.get()

    subscription = container.listen(stream, ignore)
    gate.put_nowait(1)
    await container.read(stream.future)
    subscription.close()
    gate.put_nowait(2)
    await until(lambda: container.read(stream).value == 2)
    grace[0].close()


def test_on_manual_invalidation_may_read_its_provider() -> None:
    seen: list[int] = []

    @Provider
    def provider(ref: Ref) -> int:
        ref.on_manual_invalidation(lambda: seen.append(container.read(provider)))
        return len(seen)

    with ProviderContainer() as container:
        assert container.read(provider) == 0
        container.invalidate(provider)
        assert (container.read(provider), seen) == (1, [0])


# -- disposers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["itself", "its user", "an asynchronous user"])
@pytest.mark.parametrize("end", ["invalidate", "a change"])
async def test_a_disposer_that_reads_its_own_provider_is_refused(
    what: str, end: str, container: ProviderContainer, reported: list[BaseException]
) -> None:
    opened: list[int] = []
    closed: list[int] = []
    source = StateProvider(lambda ref: 1)

    @FutureProvider
    async def provider(ref: Ref) -> int:
        number = len(opened)
        opened.append(number)
        ref.on_dispose(lambda: closed.append(number))
        ref.on_dispose(lambda: container.read(other))
        return ref.watch(source)

    user = Provider(lambda ref: ref.watch(provider))
    async_user = FutureProvider(lambda ref: ref.watch(provider.future))
    other: Any = {"itself": provider, "its user": user, "an asynchronous user": async_user}[what]
    await container.read(provider.future)
    if end == "invalidate":
        container.invalidate(provider)
    else:
        container.read(source.notifier).state = 50
    assert await asyncio.wait_for(container.read(provider.future), 5) == (1 if end == "invalidate" else 50)
    assert closed == opened[:-1] == [0]
    assert [type(error.__cause__ or error) for error in reported] == [ReadDuringDisposalError]
    reported.clear()
    if what != "itself":
        container.read(other)
        container.read(source.notifier).state = 60
        await container.read(provider.future)
        shown = container.read(other).value if what == "its user" else await container.read(async_user.future)
        assert shown == 60
    await container.pump()
    container.invalidate(provider)
    reported.clear()
    await container.aclose()
    reported.clear()


def test_a_disposer_cannot_build_a_new_provider_in_a_closing_container() -> None:
    opened: list[str] = []
    reported: list[BaseException] = []

    @Provider
    def late(ref: Ref) -> int:
        opened.append("late")
        return 1

    @Provider
    def provider(ref: Ref) -> int:
        ref.on_dispose(lambda: container.read(late))
        ref.on_dispose(lambda: opened.append("rest"))
        return 1

    container = ProviderContainer(on_error=lambda error, provider: reported.append(error))
    container.read(provider)
    container.dispose()
    assert opened == ["rest"]
    assert [type(error).__name__ for error in reported] == ["ContainerClosingError"]


def test_a_disposer_cannot_listen_to_its_provider() -> None:
    made: list[Any] = []
    reported: list[BaseException] = []

    @Provider.auto_dispose
    def provider(ref: Ref) -> int:
        ref.on_dispose(lambda: made.append(container.listen(provider, ignore)))
        return 1

    with ProviderContainer(on_error=lambda error, provider: reported.append(error)) as container:
        container.listen(provider, ignore).close()
        assert container.read(provider) == 1
    assert made == []
    assert {type(error) for error in reported} == {ReadDuringDisposalError}


async def test_a_change_by_a_listener_during_a_read_is_visible() -> None:
    passed = StateProvider(lambda ref: 0)
    changed = StateProvider(lambda ref: 0)
    shown = Provider(lambda ref: ref.watch(changed))

    @Provider
    def reader(ref: Ref) -> tuple[int, bool]:
        return ref.watch(passed.select(int)), ref.watch(shown.select(lambda value: value > 100))

    async with ProviderContainer() as container:
        container.listen(shown, lambda _, value: setattr(container.read(passed.notifier), "state", 9))
        container.listen(reader, ignore)
        container.read(changed.notifier).state = 1
        container.read(reader)  # visits `passed`, then builds `shown`, whose listener changes `passed`
        assert container.read(reader) == (9, False)
        await container.pump()
        assert container.read(reader) == (9, False)
