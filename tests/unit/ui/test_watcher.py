"""The Watcher: one call per turn for changes of the providers read in the last build, until it is closed."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import weakref
from collections.abc import AsyncIterator
from typing import Any

import pytest
from reactivex.subject import BehaviorSubject

from tests.unit.reactive.builders import built_after, notifier_of
from tests.unit.reactive.declared import failing_below_zero
from tetherpy.reactive import AsyncData, AsyncLoading, Provider, ProviderContainer, Ref, StateProvider, StreamProvider
from tetherpy.reactive.errors import ContainerDisposedError, EndlessUpdateError, ProviderError, WrongThreadError
from tetherpy.ui import BuildWithinBuildError, Watcher, WatcherClosedError

first = StateProvider(lambda ref: 1, name="first")
second = StateProvider(lambda ref: 2, name="second")
total = Provider(lambda ref: ref.watch(first) + ref.watch(second), name="total")


items = notifier_of(lambda ref: [])


@pytest.fixture
def reported() -> list[tuple[BaseException, object]]:
    return []


@pytest.fixture
async def container(reported: list[tuple[BaseException, object]]) -> AsyncIterator[ProviderContainer]:
    async with ProviderContainer(on_error=lambda error, where: reported.append((error, where))) as container:
        yield container
    assert reported == []


def put(container: ProviderContainer, provider: StateProvider[int], value: int) -> None:
    container.read(provider.notifier).state = value


async def turn() -> None:
    """Run the callbacks of the next turns."""
    for _ in range(5):
        await asyncio.sleep(0)


class Screen:
    """Builds like a widget: reads values when it is notified."""

    def __init__(self, container: ProviderContainer, *listenables: object) -> None:
        self.listenables = listenables
        self.built: list[tuple[object, ...]] = []
        self.watcher = Watcher(container, self.build)
        self.build()

    def build(self) -> None:
        with self.watcher.build():
            self.built.append(tuple(self.watcher.watch(listenable) for listenable in self.listenables))


# -- notifications ----------------------------------------------------------------------------------


async def test_changes_of_one_turn_cause_one_call(container: ProviderContainer) -> None:
    screen = Screen(container, first, second, total)
    assert screen.built == [(1, 2, 3)]
    for value in range(10, 20):
        put(container, first, value)
        put(container, second, value)
    assert len(screen.built) == 1
    await turn()
    assert screen.built[1:] == [(19, 19, 38)]


async def test_an_equal_value_causes_no_call(container: ProviderContainer) -> None:
    screen = Screen(container, first, total)
    put(container, first, 1)
    put(container, second, 2)
    container.invalidate(total)
    await turn()
    assert len(screen.built) == 1


async def test_a_provider_that_is_not_watched_again_causes_no_call(container: ProviderContainer) -> None:
    told: list[int] = []
    watcher = Watcher(container, lambda: told.append(1))
    assert watcher.watch(first) == 1
    for value in range(2, 5):
        put(container, first, value)
        await turn()
    assert told == [1]
    assert watcher.watch(first) == 4
    await turn()
    assert told == [1]
    put(container, first, 9)
    await turn()
    assert told == [1, 1]


async def test_a_value_changed_in_place_causes_a_call(container: ProviderContainer) -> None:
    screen = Screen(container, items)
    notifier = container.read(items.notifier)
    notifier.state.append(7)
    notifier.ref.notify_listeners()
    await turn()
    assert screen.built == [([7],), ([7],)]


async def test_a_value_that_was_read_before_the_call_causes_none(container: ProviderContainer) -> None:
    screen = Screen(container, first, total)
    put(container, first, 5)
    screen.build()
    await turn()
    assert screen.built == [(1, 3), (5, 7)]


async def test_a_selected_part_an_async_value_and_its_future_can_be_watched(container: ProviderContainer) -> None:
    loaded = asyncio.Event()

    slow = built_after(loaded, lambda ref: 7)
    even = first.select(lambda value: value % 2 == 0)
    screen = Screen(container, slow, even, slow.future)
    assert screen.built[0][:2] == (AsyncLoading(), False)
    put(container, first, 3)
    await turn()
    assert len(screen.built) == 1
    loaded.set()
    put(container, first, 4)
    await turn()
    state, is_even, future = screen.built[-1]
    assert (state, is_even) == (AsyncData(7), True)
    assert await future == 7  # type: ignore[misc]  # the future of slow
    screen.watcher.close()


async def test_a_value_that_is_delivered_on_resume_causes_no_call_if_it_was_read(container: ProviderContainer) -> None:
    subject = BehaviorSubject(1)
    emits = StreamProvider[int](lambda ref: subject, name="emits")
    container.listen(emits, lambda previous, value: None).close()
    subject.on_next(2)
    screen = Screen(container, emits)
    await turn()
    assert screen.built == [(AsyncData(2),)]


# -- without an event loop -----------------------------------------------------------------------


def test_without_a_loop_the_call_is_immediate_and_builds_once() -> None:
    with ProviderContainer() as container:
        screen = Screen(container, first, total, second)
        put(container, first, 10)
        assert screen.built[1:] == [(10, 12, 2)]
        with container.batch():
            put(container, first, 20)
            put(container, second, 30)
            assert len(screen.built) == 2
        assert screen.built[2:] == [(20, 50, 30)]


def test_without_a_loop_two_changes_after_a_build_cause_one_call() -> None:
    told: list[int] = []
    with ProviderContainer() as container:
        watcher = Watcher(container, lambda: told.append(1))
        with watcher.build():
            watcher.watch(total)
            watcher.watch(first)
        put(container, first, 10)
        put(container, second, 10)
        assert told == [1]


def test_a_loop_that_ended_before_the_call_does_not_block_later_calls() -> None:
    container = ProviderContainer()
    screen = Screen(container, first)

    def change_and_end(value: int) -> None:
        loop = asyncio.new_event_loop()
        loop.call_soon(put, container, first, value)
        loop.call_soon(loop.stop)
        loop.run_forever()
        loop.close()

    async def change_and_wait(value: int) -> None:
        put(container, first, value)
        await turn()

    change_and_end(5)
    assert len(screen.built) == 1
    asyncio.run(change_and_wait(6))
    assert screen.built[1:] == [(6,)]
    change_and_end(7)
    put(container, first, 8)
    assert screen.built[2:] == [(8,)]
    container.dispose()


# -- builds --------------------------------------------------------------------------------------


async def test_dependencies_of_earlier_builds_are_dropped(container: ProviderContainer) -> None:
    flag = StateProvider(lambda ref: True, name="flag")
    gone: list[str] = []

    @Provider.auto_dispose
    def only_at_first(ref: Ref) -> int:
        ref.on_dispose(lambda: gone.append("gone"))
        return ref.watch(first)

    built: list[int] = []

    def build() -> None:
        with watcher.build():
            built.append(watcher.watch(only_at_first) if watcher.watch(flag) else -1)

    watcher = Watcher(container, build)
    build()
    container.read(flag.notifier).state = False
    await turn()
    assert built == [1, -1]
    assert gone == ["gone"]
    put(container, first, 2)
    await turn()
    assert built == [1, -1]


async def test_a_selector_created_in_each_build_leaks_nothing(container: ProviderContainer) -> None:
    watcher = Watcher(container, lambda: None)
    for _ in range(3):
        with watcher.build():
            watcher.watch(first.select(lambda value: value * 2))
    assert len(container.elements[first].observers or ()) == 1
    watcher.close()
    assert not container.elements[first].observers


async def test_a_failed_provider_is_still_watched(
    container: ProviderContainer, reported: list[tuple[BaseException, object]]
) -> None:
    fragile = failing_below_zero(first)
    built: list[object] = []

    def build() -> None:
        with watcher.build():
            try:
                built.append(watcher.watch(fragile))
            except ProviderError as error:
                built.append(str(error.__cause__))

    watcher = Watcher(container, build)
    build()
    for value in (-1, 1):
        put(container, first, value)
        await turn()
    assert built == [1, "negative", 1]
    assert [str(error) for error, _ in reported] == ["negative"]
    reported.clear()


async def test_a_build_that_raises_keeps_its_dependencies(container: ProviderContainer) -> None:
    told: list[int] = []
    watcher = Watcher(container, lambda: told.append(1))
    with watcher.build():
        watcher.watch(first)
        watcher.watch(second)

    def fail() -> None:
        with watcher.build():
            watcher.watch(first)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    put(container, second, 9)
    await turn()
    assert told == []
    put(container, first, 9)
    await turn()
    assert told == [1]


async def test_a_change_during_a_build_causes_a_call_after_the_build(container: ProviderContainer) -> None:
    told: list[int] = []
    watcher = Watcher(container, lambda: told.append(1))
    with watcher.build():
        watcher.watch(first)
        put(container, first, 5)
        await turn()
        assert told == []
    await turn()
    assert told == [1]


async def test_a_change_before_an_async_build_causes_no_call(
    container: ProviderContainer,
) -> None:
    told: list[int] = []
    watcher = Watcher(container, lambda: told.append(1))
    watcher.watch(first)
    put(container, first, 5)
    with watcher.build():
        await turn()
        watcher.watch(first)
        assert told == []
    await turn()
    assert told == []


async def test_a_change_of_a_dropped_dependency_causes_no_call(container: ProviderContainer) -> None:
    told: list[int] = []
    watcher = Watcher(container, lambda: told.append(1))
    watcher.watch(first)
    with watcher.build():
        put(container, first, 5)
    await turn()
    assert told == []


async def test_a_nested_build_is_refused(container: ProviderContainer) -> None:
    watcher = Watcher(container, lambda: None)
    with watcher.build(), pytest.raises(BuildWithinBuildError) as raised, watcher.build():
        pass
    assert raised.value.watcher is watcher


async def test_listeners_are_closed_at_the_next_build(container: ProviderContainer) -> None:
    told: list[int] = []
    heard: list[tuple[int, int | None, int]] = []
    watcher = Watcher(container, lambda: told.append(1))
    for build in range(2):
        with watcher.build():
            watcher.listen(first, lambda previous, value, build=build: heard.append((build, previous, value)))
    put(container, first, 2)
    await turn()
    assert heard == [(1, 1, 2)]
    assert told == []
    watcher.close()
    put(container, first, 3)
    await turn()
    assert len(heard) == 1


# -- pause and close --------------------------------------------------------------------------------


async def builds_after_resume(screen: Screen, container: ProviderContainer, changed: StateProvider[int]) -> list[Any]:
    """Set a provider to 5, which builds nothing during a pause; return what is built on resume."""
    count = len(screen.built)
    put(container, changed, 5)
    await turn()
    assert len(screen.built) == count
    screen.watcher.resume()
    await turn()
    return screen.built[count:]


async def test_a_paused_watcher_is_called_on_resume_if_a_value_changed(container: ProviderContainer) -> None:
    screen = Screen(container, total)
    screen.watcher.pause()
    assert screen.watcher.is_paused
    assert container.elements[total].active == 0
    assert await builds_after_resume(screen, container, first) == [(7,)]

    for step in (screen.watcher.pause, screen.watcher.resume, screen.watcher.resume):
        step()
        await turn()
    assert len(screen.built) == 2
    assert not screen.watcher.is_paused


async def test_providers_watched_during_a_pause_are_paused(container: ProviderContainer) -> None:
    screen = Screen(container, first)
    screen.watcher.pause()
    screen.listenables = (total,)
    screen.build()
    screen.watcher.listen(second, lambda previous, value: None)
    assert container.elements[total].active == 0
    assert container.elements[second].active == 0
    assert await builds_after_resume(screen, container, second) == [(6,)]


async def test_a_call_pending_at_the_pause_is_made_on_resume(
    container: ProviderContainer,
) -> None:
    screen = Screen(container, first)
    put(container, first, 5)
    screen.watcher.pause()
    await turn()
    assert len(screen.built) == 1
    screen.watcher.resume()
    await turn()
    assert screen.built[1:] == [(5,)]


async def test_a_closed_watcher_gets_no_calls_and_raises_on_use(container: ProviderContainer) -> None:
    screen = Screen(container, first)
    put(container, first, 5)
    screen.watcher.close()
    screen.watcher.close()
    await turn()
    assert len(screen.built) == 1
    assert screen.watcher.closed
    with pytest.raises(WatcherClosedError) as raised:
        screen.watcher.watch(first)
    assert raised.value.watcher is screen.watcher
    assert not container.elements[first].listeners


async def test_a_watcher_closed_in_its_own_build_leaks_nothing(container: ProviderContainer) -> None:
    watcher = Watcher(container, lambda: None)
    with watcher.build():
        watcher.watch(first)
        watcher.close()
    assert not container.elements[first].listeners


async def test_a_disposed_container_closes_its_watchers() -> None:
    container = ProviderContainer()
    told: list[int] = []
    watcher = Watcher(container, lambda: told.append(1))
    watcher.watch(first)
    put(container, first, 5)
    await container.aclose()
    await turn()
    assert told == []
    assert watcher.closed
    with pytest.raises(ContainerDisposedError):
        watcher.watch(first)
    watcher.close()


async def test_a_with_block_closes_the_watcher(container: ProviderContainer) -> None:
    with Watcher(container, lambda: None) as watcher:
        watcher.watch(first)
    assert watcher.closed


async def test_a_closed_watcher_is_garbage_collected_with_its_owner(container: ProviderContainer) -> None:
    screen = Screen(container, first, total)
    screen.watcher.close()
    ghost = weakref.ref(screen)
    del screen
    gc.collect()
    assert ghost() is None


# -- errors and threads --------------------------------------------------------------------------


async def test_an_error_in_on_dirty_is_reported_and_the_next_change_calls_it_again(
    container: ProviderContainer, reported: list[tuple[BaseException, object]]
) -> None:
    told: list[int] = []

    def on_dirty() -> None:
        told.append(1)
        raise OSError("no screen")

    watcher = Watcher(container, on_dirty)
    watcher.watch(first)
    for value in (2, 3):
        put(container, first, value)
        await turn()
    assert told == [1, 1]
    assert [(str(error), where) for error, where in reported] == [("no screen", watcher)] * 2
    reported.clear()


def test_without_a_loop_an_endless_cycle_of_changes_is_stopped() -> None:
    with ProviderContainer() as container:

        def on_dirty() -> None:
            put(container, first, watcher.watch(first) + 1)

        watcher = Watcher(container, on_dirty)
        watcher.watch(first)
        with pytest.raises(EndlessUpdateError):
            put(container, first, 2)


async def test_other_threads_are_refused(container: ProviderContainer) -> None:
    watcher = Watcher(container, lambda: None)
    watcher.watch(first)
    refused: list[str] = []

    def touch() -> None:
        for step in (lambda: watcher.watch(first), watcher.pause, watcher.resume, watcher.close):
            try:
                step()
            except WrongThreadError:
                refused.append("refused")

    thread = threading.Thread(target=touch)
    thread.start()
    thread.join()
    assert len(refused) == 4
    assert not watcher.closed


@pytest.mark.new_interpreter
def test_the_package_imports_no_toolkit() -> None:
    script = (
        "import sys\n"
        "from tetherpy.ui import Watcher\n"
        "print(sorted({'textual', 'starlette', 'desktop_notifier', 'reactivex', 'aiosqlite'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
