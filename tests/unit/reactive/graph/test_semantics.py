"""The fourteen numbered semantics of the reactive contract, each with its tests."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from tests.support.waiting import turns
from tests.unit.reactive.builders import async_notifier_of, notifier_of
from tests.unit.reactive.declared import counter, failing_below_zero, failure_of
from tests.unit.reactive.recording import observer_with, recording_builds, recording_life, values_of
from tetherpy.reactive import (
    AsyncData,
    AsyncError,
    AsyncLoading,
    FutureProvider,
    Provider,
    ProviderContainer,
    Ref,
    StateProvider,
    StreamProvider,
    exponential_retry,
    never,
)
from tetherpy.reactive.errors import ChangeDuringBuildError, CircularDependencyError, ProviderError, WrongThreadError


def set_to(container: ProviderContainer, value: int) -> None:
    container.read(counter.notifier).state = value


# -- 1 -------------------------------------------------------------------------------------------


async def test_01_a_read_is_always_up_to_date() -> None:
    double = Provider(lambda ref: ref.watch(counter) * 2)
    text = Provider(lambda ref: f"<{ref.watch(double)}>")
    with ProviderContainer() as container:
        seen = values_of(container, text)
        assert container.read(text) == "<0>"
        for number in (1, 2, 3):
            set_to(container, number)
            assert container.read(text) == f"<{number * 2}>"
        assert seen == ["<2>", "<4>", "<6>"]


# -- 2 -------------------------------------------------------------------------------------------


async def test_02_propagation_is_glitch_free_and_builds_once_per_turn() -> None:
    builds: list[tuple[int, int]] = []
    other = StateProvider(lambda ref: 0)
    left = Provider(lambda ref: ref.watch(counter) + 1)
    right = Provider(lambda ref: ref.watch(left) + ref.watch(counter))

    @Provider
    def bottom(ref: Ref) -> int:
        builds.append((ref.watch(counter), ref.watch(right)))
        return builds[-1][1] + ref.watch(other)

    with ProviderContainer() as container:
        seen = values_of(container, bottom)
        set_to(container, 1)
        set_to(container, 5)
        container.read(other.notifier).state = 100
        assert builds == [(0, 1)]
        await turns()
        assert builds == [(0, 1), (5, 11)]
        assert seen == [111]


async def test_02_listeners_are_called_only_for_a_different_value() -> None:
    builds: list[int] = []
    parity = Provider(lambda ref: ref.watch(counter) % 2)
    below = recording_builds(builds, lambda ref: ref.watch(parity))
    with ProviderContainer() as container:
        seen, seen_below = values_of(container, parity), values_of(container, below)
        set_to(container, 2)
        await turns()
        assert seen == seen_below == []
        assert builds == [0]
        set_to(container, 3)
        await turns()
        assert seen == seen_below == [1]


# -- 3 -------------------------------------------------------------------------------------------


async def test_03_direct_listeners_are_called_immediately_and_dependents_on_the_next_turn() -> None:
    double = Provider(lambda ref: ref.watch(counter) * 2)
    with ProviderContainer() as container:
        own, derived = values_of(container, counter), values_of(container, double)
        set_to(container, 1)
        assert own == [1]
        assert derived == []
        await turns()
        assert derived == [2]


def test_03_without_a_loop_propagation_ends_with_the_outermost_change() -> None:
    double = Provider(lambda ref: ref.watch(counter) * 2)
    with ProviderContainer() as container:
        own, derived = values_of(container, counter), values_of(container, double)
        set_to(container, 1)
        assert (own, derived) == ([1], [2])
        with container.batch():
            set_to(container, 2)
            set_to(container, 3)
            assert derived == [2]
        assert derived == [2, 6]


def test_03_a_change_by_a_listener_is_part_of_the_change_that_called_it() -> None:
    mirror = StateProvider(lambda ref: 0)
    both = Provider(lambda ref: (ref.watch(counter), ref.watch(mirror)))
    with ProviderContainer() as container:
        seen = values_of(container, both)
        container.listen(counter, lambda _, value: setattr(container.read(mirror.notifier), "state", value))
        set_to(container, 4)
        assert seen == [(4, 4)]


def test_03_one_container_can_be_used_in_two_asyncio_runs_and_in_between() -> None:
    double = Provider(lambda ref: ref.watch(counter) * 2)
    answer = FutureProvider(lambda ref: asyncio.sleep(0, ref.watch(counter)))

    async def work(number: int) -> int:
        set_to(container, number)
        assert container.read(double) == number * 2
        value = await container.read(answer.future)
        await turns()
        set_to(container, number + 1)  # scheduled for a turn that this loop does not reach
        return value

    with ProviderContainer() as container:
        derived = values_of(container, double)
        assert asyncio.run(work(10)) == 10
        assert asyncio.run(work(20)) == 20
        set_to(container, 7)
        assert derived[-1] == 14
        assert container.read(double) == 14


# -- 4 -------------------------------------------------------------------------------------------


async def test_04_errors_are_values_and_the_original_is_reported_once() -> None:
    broken = ValueError("no such user")
    reported: list[Any] = []

    @Provider
    def source(ref: Ref) -> int:
        raise broken

    middle = Provider(lambda ref: ref.watch(source) + 1)
    last = Provider(lambda ref: ref.watch(middle) + 1)
    failures: list[tuple[Any, Exception]] = []
    observer = observer_with(provider_did_fail=lambda context, error: failures.append((context.provider, error)))
    with ProviderContainer(observers=[observer], on_error=lambda *args: reported.append(args)) as container:
        with pytest.raises(ProviderError) as caught:
            container.read(last)
        assert caught.value.provider is last
        assert isinstance(caught.value.__cause__, ProviderError)
        assert caught.value.__cause__.provider is middle
        assert caught.value.__cause__.__cause__ is not None
        assert caught.value.__cause__.__cause__.__cause__ is broken
        for _ in range(3):
            with pytest.raises(ProviderError):
                container.read(last)
        assert failures == [(source, broken)]
        assert reported == [(broken, source)]


async def test_04_a_failed_async_build_is_an_async_error_and_its_future_raises_the_original() -> None:
    broken = ValueError("no such user")
    reported: list[Any] = []

    @FutureProvider
    async def user(ref: Ref) -> str:
        raise broken

    with ProviderContainer(on_error=lambda *args: reported.append(args)) as container:
        with pytest.raises(ValueError, match="no such user") as caught:
            await container.read(user.future)
        assert caught.value is broken
        assert container.read(user) == AsyncError(broken)
        assert reported == [(broken, user)]


def test_04_on_error_gets_the_original_error() -> None:
    positive = failing_below_zero(counter)
    errors: list[Exception] = []
    with ProviderContainer(on_error=lambda *args: None) as container:
        values = values_of(container, positive, on_error=errors.append)
        set_to(container, -1)
        set_to(container, 2)
        assert [str(error) for error in errors] == ["negative"]
        assert values == [2]


# -- 5 -------------------------------------------------------------------------------------------


async def test_05_without_a_policy_nothing_is_retried() -> None:
    builds: list[int] = []

    @FutureProvider
    async def flaky(ref: Ref) -> int:
        builds.append(1)
        raise OSError("down")

    with ProviderContainer(on_error=lambda *args: None) as container:
        values_of(container, flaky)
        with pytest.raises(OSError, match="down"):
            await container.read(flaky.future)
        await turns(5)
        assert builds == [1]
        assert not container.read(flaky).is_loading


async def test_05_during_retries_the_state_is_loading_with_the_error_and_the_future_waits() -> None:
    builds: list[int] = []
    asked: list[int] = []

    def soon(retry_count: int, error: Exception) -> float:
        asked.append(retry_count)
        return 0.0

    @FutureProvider.options(retry=soon)
    async def flaky(ref: Ref) -> str:
        builds.append(1)
        if len(builds) < 3:
            raise OSError("down")
        return "up"

    with ProviderContainer(on_error=lambda *args: None) as container:
        states = values_of(container, flaky)
        assert await asyncio.wait_for(asyncio.ensure_future(_awaited(container.read(flaky.future))), 25) == "up"
        assert asked == [0, 1]
        first = states[0]
        assert isinstance(first, AsyncLoading)
        assert first.retrying
        assert isinstance(first.error, OSError)
        assert container.read(flaky) == AsyncData("up")


async def _awaited(awaitable: Any) -> Any:
    return await awaitable


def test_05_the_exported_retry_policies() -> None:
    error = OSError("down")
    delays = [exponential_retry(count, error) for count in range(11)]
    assert delays == [
        *(timedelta(milliseconds=200 * 2**count) for count in range(5)),
        *([timedelta(seconds=6.4)] * 5),
        None,
    ]
    mistakes = (TypeError(), AttributeError(), NameError(), AssertionError(), NotImplementedError())
    for mistake in (*mistakes, ProviderError(counter)):
        assert exponential_retry(0, mistake) is None
    assert never(0, error) is None


async def test_05_a_provider_can_disable_the_policy_of_its_container() -> None:
    builds: list[int] = []

    @FutureProvider.options(retry=never)
    async def flaky(ref: Ref) -> int:
        builds.append(1)
        raise OSError("down")

    with ProviderContainer(retry=lambda count, error: 0.0, on_error=lambda *args: None) as container:
        values_of(container, flaky)
        with pytest.raises(OSError, match="down"):
            await container.read(flaky.future)
        await turns(5)
        assert builds == [1]


# -- 6 -------------------------------------------------------------------------------------------


async def test_06_a_provider_without_active_listeners_is_paused_with_its_dependencies() -> None:
    builds: list[int] = []
    inner_seen: list[int] = []
    events: list[str] = []

    @Provider
    def middle(ref: Ref) -> int:
        ref.on_cancel(lambda: events.append("cancel"))
        ref.on_resume(lambda: events.append("resume"))
        ref.listen(counter, lambda _, value: inner_seen.append(value))
        return 0

    @Provider
    def outer(ref: Ref) -> int:
        builds.append(ref.watch(counter))
        return ref.watch(middle) + ref.watch(counter)

    with ProviderContainer() as container:
        seen: list[Any] = []
        subscription = container.listen(outer, lambda previous, value: seen.append((previous, value)))
        subscription.pause()
        assert events == ["cancel"]
        set_to(container, 1)
        set_to(container, 2)
        await turns(2)
        assert (builds, seen, inner_seen) == ([0], [], [])
        subscription.resume()
        await turns()
        assert builds == [0, 2]
        assert seen == [(0, 2)]
        assert inner_seen == [2], "the last missed event is delivered"
        assert events == ["cancel", "resume"]


async def test_06_a_paused_async_iterator_is_not_advanced() -> None:
    pulled: list[int] = []

    @StreamProvider
    async def numbers(ref: Ref) -> Any:
        for number in range(100):
            pulled.append(number)
            yield number
            await turns()

    async with ProviderContainer() as container:
        subscription = container.listen(numbers, lambda previous, value: None)
        while len(pulled) < 3:
            await turns()
        subscription.pause()
        await turns(3)
        count = len(pulled)
        await turns(20)
        assert len(pulled) == count
        subscription.resume()
        while len(pulled) <= count + 2:
            await turns()


async def test_06_a_weak_listener_neither_builds_nor_keeps_alive() -> None:
    life: list[str] = []
    value = recording_life(life, lambda ref: ref.watch(counter))
    with ProviderContainer() as container:
        seen = values_of(container, value, weak=True)
        assert life == []
        with container.listen(value, lambda previous, value: None):
            assert seen == [0], "it gets the build that another listener causes"
            set_to(container, 1)
            await turns()
            assert seen == [0, 1]
        await container.pump()
        assert life[-1] == "disposed"
        assert container.read(value) == 1
        assert seen == [0, 1, 1], "and after the next disposal, too"


# -- 7 -------------------------------------------------------------------------------------------


async def test_07_auto_dispose_waits_a_full_turn() -> None:
    life: list[str] = []
    value = recording_life(life, lambda ref: 1)
    with ProviderContainer() as container:
        container.listen(value, lambda previous, value: None).close()
        assert container.exists(value)
        subscription = container.listen(value, lambda previous, value: None)
        await turns(2)
        assert life == ["built"]
        subscription.close()
        await turns()
        assert life == ["built", "disposed"]
        assert not container.exists(value)


async def test_07_a_link_keeps_a_provider_until_it_is_closed() -> None:
    links: list[Any] = []

    @Provider.auto_dispose
    def value(ref: Ref) -> int:
        links.append(ref.keep_alive())
        return 1

    with ProviderContainer() as container:
        container.read(value)
        await container.pump()
        assert container.exists(value)
        links[0].close()
        await container.pump()
        assert not container.exists(value)


# -- 8 -------------------------------------------------------------------------------------------


def test_08_a_circular_dependency_is_an_error_that_names_it() -> None:
    a: Provider[int] = Provider(lambda ref: ref.watch(b), name="a")
    b: Provider[int] = Provider(lambda ref: ref.watch(c), name="b")
    c: Provider[int] = Provider(lambda ref: ref.watch(a), name="c")
    with ProviderContainer(on_error=lambda *args: None) as container:
        error = failure_of(container, a)
        assert isinstance(error, CircularDependencyError)
        assert error.cycle == (a, b, c, a)


def test_08_a_loop_that_a_rebuild_adds_is_an_error_and_can_be_removed() -> None:
    closed = StateProvider(lambda ref: False)
    a: Provider[int] = Provider(lambda ref: ref.watch(b) if ref.watch(closed) else 1, name="a")
    b: Provider[int] = Provider(lambda ref: ref.watch(a), name="b")
    with ProviderContainer(on_error=lambda *args: None) as container:
        values = values_of(container, b, on_error=lambda error: None)
        assert container.read(b) == 1
        container.read(closed.notifier).state = True
        assert isinstance(failure_of(container, b), CircularDependencyError)
        container.read(closed.notifier).state = False
        assert container.read(b) == 1
        assert values[-1] == 1


async def test_08_a_loop_that_closes_after_an_await_is_an_error_that_names_it() -> None:
    @FutureProvider
    async def slow(ref: Ref) -> int:
        await asyncio.sleep(0)
        return ref.watch(derived)

    derived: Provider[int] = Provider(lambda ref: ref.watch(slow).value or 0)
    with ProviderContainer(on_error=lambda *args: None) as container:
        with pytest.raises(CircularDependencyError) as caught:
            await container.read(slow.future)
        assert caught.value.cycle == (slow, derived, slow)


def test_08_changing_another_provider_during_a_build_is_an_error() -> None:
    @Provider
    def meddler(ref: Ref) -> int:
        ref.read(counter.notifier).state = 3
        return 0

    with ProviderContainer(on_error=lambda *args: None) as container:
        cause = failure_of(container, meddler)
        assert isinstance(cause, ChangeDuringBuildError)
        assert (cause.provider, cause.building) == (counter, meddler)
        assert container.read(counter) == 0


# -- 9 -------------------------------------------------------------------------------------------


async def test_09_a_container_belongs_to_one_thread() -> None:
    caught: list[BaseException] = []
    with ProviderContainer() as container:
        notifier = container.read(counter.notifier)
        subscription = container.listen(counter, lambda previous, value: None)

        def meddle() -> None:
            for act in (
                lambda: container.read(counter),
                lambda: container.listen(counter, lambda previous, value: None),
                lambda: container.invalidate(counter),
                lambda: setattr(notifier, "state", 1),
                subscription.read,
                subscription.close,
                subscription.pause,
                container.dispose,
            ):
                try:
                    act()
                except WrongThreadError as error:
                    caught.append(error)

        thread = threading.Thread(target=meddle)
        thread.start()
        thread.join()
        assert len(caught) == 8
        assert "call_soon_threadsafe" in str(caught[0])
        assert container.read(counter) == 0


async def test_09_call_soon_threadsafe_runs_a_call_in_the_thread_of_the_container() -> None:
    with ProviderContainer() as container:
        done = asyncio.Event()
        container.listen(counter, lambda previous, value: done.set())
        thread = threading.Thread(target=lambda: container.call_soon_threadsafe(lambda: set_to(container, 5)))
        thread.start()
        await asyncio.wait_for(done.wait(), 25)
        thread.join()
        assert container.read(counter) == 5


def test_09_without_a_loop_queued_calls_run_at_the_next_use() -> None:
    with ProviderContainer() as container:
        seen = values_of(container, counter)
        thread = threading.Thread(target=lambda: container.call_soon_threadsafe(lambda: set_to(container, 5)))
        thread.start()
        thread.join()
        assert container.exists(counter)
        assert seen == [5]


# -- 10 ------------------------------------------------------------------------------------------


def test_10_an_error_in_a_listener_affects_no_other() -> None:
    reported: list[Any] = []
    broken = ValueError("in a listener")

    def throw(previous: Any, value: Any) -> None:
        raise broken

    with ProviderContainer(on_error=lambda *args: reported.append(args)) as container:
        container.listen(counter, throw)
        seen = values_of(container, counter)
        set_to(container, 1)
        assert seen == [1]
        assert reported == [(broken, counter)]


def test_10_by_default_an_error_is_logged_with_the_provider_name(caplog: pytest.LogCaptureFixture) -> None:
    def throw(previous: Any, value: Any) -> None:
        raise ValueError("in a listener")

    with caplog.at_level(logging.ERROR), ProviderContainer() as container:
        container.listen(counter, throw)
        set_to(container, 1)
    (record,) = caplog.records
    assert "Counter" in record.getMessage()
    assert record.exc_info is not None


# -- 11 ------------------------------------------------------------------------------------------


def chain(length: int) -> list[Any]:
    links: list[Any] = [counter]
    for _ in range(length):
        links.append(Provider(lambda ref, before=links[-1]: ref.watch(before) + 1))
    return links


@pytest.mark.slow
def test_11_a_change_propagates_through_50_000_providers_at_the_default_recursion_limit() -> None:
    length = 50_000
    assert sys.getrecursionlimit() <= 1_000
    links = chain(length)
    with ProviderContainer() as container:
        for link in links:  # the first build of each reads the one before it
            container.read(link)
        seen = values_of(container, links[-1])
        set_to(container, 1)
        assert seen == [length + 1]
        container.listen(links[-1], lambda previous, value: None).close()
        set_to(container, 2)
        assert container.read(links[-1]) == length + 2


def test_11_propagation_visits_marked_nodes_once() -> None:
    builds: list[int] = []

    def layer(below: list[Any]) -> list[Any]:
        def build(ref: Ref) -> int:
            builds.append(1)
            return sum(ref.watch(source) for source in below)

        return [Provider(build) for _ in range(4)]

    layers: list[list[Any]] = [[counter] * 1]
    for _ in range(30):  # 4 ** 30 paths from top to bottom
        layers.append(layer(layers[-1]))
    with ProviderContainer() as container:
        for nodes in layers:
            for node in nodes:
                container.read(node)
        values_of(container, layers[-1][0])
        builds.clear()
        set_to(container, 1)
        assert len(builds) == 29 * 4 + 1


# -- 12 ------------------------------------------------------------------------------------------


async def test_12_eight_concurrent_awaiters_share_one_build() -> None:
    builds: list[int] = []

    @FutureProvider
    async def value(ref: Ref) -> int:
        builds.append(1)
        await turns(3)
        return 42

    async with ProviderContainer() as container:

        async def ask() -> int:
            return await container.read(value.future)

        assert await asyncio.gather(*(ask() for _ in range(8))) == [42] * 8
        assert builds == [1]


# -- 13 ------------------------------------------------------------------------------------------


class NoAnswer:
    """Compares like an ORM expression: never to a plain bool."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> Any:
        return self

    def __ne__(self, other: object) -> Any:
        return self

    def __bool__(self) -> bool:
        raise TypeError("the truth of an expression is not known here")


class Raising:
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("cannot compare")

    def __ne__(self, other: object) -> bool:
        raise RuntimeError("cannot compare")


@pytest.mark.parametrize("make", [lambda: np.zeros(3), NoAnswer, Raising])
def test_13_a_comparison_without_a_bool_counts_as_changed(make: Any) -> None:
    state = StateProvider[Any](lambda ref: make())
    derived = Provider[Any](lambda ref: (ref.watch(state), make())[1])
    selected = derived.select(lambda value: value)
    with ProviderContainer() as container:
        seen = [values_of(container, listenable) for listenable in (state, derived, selected)]
        for _ in range(2):
            container.read(state.notifier).state = make()
        assert [len(values) for values in seen] == [2, 2, 2]


@pytest.mark.parametrize("make", [lambda: np.zeros(3), NoAnswer, Raising])
async def test_13_a_comparison_without_a_bool_inside_an_async_value_counts_as_changed(make: Any) -> None:
    holder = async_notifier_of(lambda ref: make())
    with ProviderContainer() as container:
        seen = values_of(container, holder)
        notifier = container.read(holder.notifier)
        notifier.state = AsyncData(make())
        notifier.state = AsyncData(make())
        assert len(seen) == 2


# -- 14 ------------------------------------------------------------------------------------------


async def test_14_still_loading_propagates_through_synchronous_providers() -> None:
    gate = asyncio.Event()
    reported: list[Any] = []

    @FutureProvider
    async def user(ref: Ref) -> str:
        await gate.wait()
        return "Ada"

    upper = Provider(lambda ref: ref.watch(user).require_value.upper())
    greeting = Provider(lambda ref: f"Hello {ref.watch(upper)}")

    @FutureProvider
    def page(ref: Ref) -> str:
        return f"<h1>{ref.watch(greeting)}</h1>"

    @FutureProvider
    async def slow_page(ref: Ref) -> str:
        return f"<h2>{ref.watch(greeting)}</h2>"

    async with ProviderContainer(on_error=lambda *args: reported.append(args)) as container:
        states, slow_states = values_of(container, page), values_of(container, slow_page)
        await turns(4)
        assert container.read(page) == container.read(slow_page) == AsyncLoading()
        gate.set()
        assert await container.read(page.future) == "<h1>Hello ADA</h1>"
        assert await container.read(slow_page.future) == "<h2>Hello ADA</h2>"
        assert states[-1] == AsyncData("<h1>Hello ADA</h1>")
        assert slow_states[-1] == AsyncData("<h2>Hello ADA</h2>")
        assert reported == []


# -- what goes with a container --------------------------------------------------------------------


async def test_observables_streams_and_listeners_of_a_child_container_end_with_it() -> None:
    events: list[Any] = []
    with ProviderContainer() as root:
        child = ProviderContainer(parent=root)
        child.observe(counter).subscribe(events.append, on_completed=lambda: events.append("completed"))
        subscriptions = [
            child.listen(listenable, lambda previous, value: None)
            for listenable in (counter, counter.select(lambda value: value % 2))
        ]

        async def follow() -> list[int]:
            return [value async for value in child.stream(counter)]

        following = asyncio.ensure_future(follow())
        await turns(2)
        set_to(root, 1)
        await turns(2)
        child.dispose()
        set_to(root, 2)
        assert events == [0, 1, "completed"]
        assert all(subscription.closed for subscription in subscriptions)
        assert await following == [0, 1]
        assert not root.elements[counter].listeners
        assert not root.elements[counter].observers


# -- at the edges ----------------------------------------------------------------------------------


def test_setting_a_state_keeps_a_failed_provider_outdated() -> None:
    fragile = notifier_of(lambda ref: 1 / ref.watch(counter))
    with ProviderContainer(on_error=lambda *args: None) as container:
        notifier = container.read(fragile.notifier)
        set_to(container, 4)
        notifier.state = 100
        assert container.read(fragile) == 0.25


def test_an_interrupt_in_one_provider_keeps_the_refresh_of_the_others() -> None:
    @Provider
    def interrupted(ref: Ref) -> int:
        if ref.watch(counter) == 1:
            raise KeyboardInterrupt
        return ref.watch(counter)

    double = Provider(lambda ref: ref.watch(counter) * 2)
    with ProviderContainer() as container:
        values_of(container, interrupted)
        seen = values_of(container, double)
        with pytest.raises(KeyboardInterrupt):
            set_to(container, 1)
        set_to(container, 2)
        assert seen[-1] == 4
        assert container.read(interrupted) == 2
