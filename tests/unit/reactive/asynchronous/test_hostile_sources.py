"""Sources that misbehave, and cancellation in every situation."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import reactivex
from reactivex import Observable
from reactivex.abc import ObserverBase, SchedulerBase
from reactivex.disposable import Disposable
from reactivex.subject import Subject

from tests.support.waiting import turns, until
from tests.unit.reactive.recording import values_of
from tetherpy.reactive import (
    AsyncData,
    AsyncError,
    AsyncLoading,
    FutureProvider,
    ProviderContainer,
    Ref,
    StateProvider,
    StreamNotifier,
    StreamNotifierProvider,
    StreamProvider,
)
from tetherpy.reactive.errors import (
    BuildCancelledError,
    NoEventLoopError,
    ProviderDisposedError,
)


def start(awaitable: Any) -> asyncio.Task[Any]:
    async def wait() -> Any:
        return await awaitable

    return asyncio.ensure_future(wait())


# -- Rx --------------------------------------------------------------------------------------------


async def test_an_observable_that_errors_keeps_the_last_value_with_the_error() -> None:
    subject: Subject[int] = Subject()
    numbers = StreamProvider[int](lambda ref: subject)
    reported: list[Any] = []
    with ProviderContainer(on_error=lambda *args: reported.append(args)) as container:
        states = values_of(container, numbers)
        subject.on_next(1)
        broken = ValueError("lost the connection")
        subject.on_error(broken)
        state = container.read(numbers)
        assert isinstance(state, AsyncError)
        assert (state.error, state.value) == (broken, 1)
        assert [type(seen) for seen in states] == [AsyncData, AsyncError]
        assert reported == [(broken, numbers)]


@pytest.mark.parametrize("with_loop", [False, True])
def test_an_observable_may_error_during_subscribe(with_loop: bool) -> None:
    numbers = StreamProvider[int](lambda ref: reactivex.throw(ValueError("at once")))

    def check() -> None:
        with ProviderContainer(on_error=lambda *args: None) as container:
            state = container.read(numbers)
            assert isinstance(state, AsyncError)
            assert str(state.error) == "at once"

    async def in_loop() -> None:
        check()

    asyncio.run(in_loop()) if with_loop else check()


def test_an_error_in_subscribe_is_an_error_of_the_build() -> None:
    class Unsubscribable:
        def subscribe(self, *args: Any, **kwargs: Any) -> Any:
            raise ConnectionError("refused")

    numbers = StreamProvider[int](lambda ref: Unsubscribable())  # type: ignore[arg-type, return-value]
    with ProviderContainer(on_error=lambda *args: None) as container:
        state = container.read(numbers)
        assert isinstance(state, AsyncError)
        assert str(state.error) == "refused"


def test_an_observable_that_emits_during_subscribe_has_its_last_value_at_once() -> None:
    numbers = StreamProvider[int](lambda ref: reactivex.of(1, 2, 3))
    with ProviderContainer() as container:
        states = values_of(container, numbers)
        assert container.read(numbers) == AsyncData(3)
        assert states == []


async def test_an_observable_that_completes_without_a_value_stays_loading() -> None:
    nothing = StreamProvider[int](lambda ref: reactivex.empty())
    with ProviderContainer() as container:
        values_of(container, nothing)
        assert container.read(nothing) == AsyncLoading()
        await turns(3)
        assert container.read(nothing) == AsyncLoading()


async def test_an_observable_that_never_emits_stays_loading_and_is_unsubscribed_at_the_end() -> None:
    disposed: list[str] = []

    def never(observer: ObserverBase[int], scheduler: SchedulerBase | None = None) -> Disposable:
        return Disposable(lambda: disposed.append("disposed"))

    silent = StreamProvider[int](lambda ref: reactivex.create(never))
    async with ProviderContainer() as container:
        waiting = start(container.read(silent.future))
        await turns(3)
        assert not waiting.done()
        assert container.read(silent) == AsyncLoading()
    with pytest.raises(ProviderDisposedError):
        await waiting
    assert disposed == ["disposed"]


async def test_an_observable_may_emit_from_any_thread() -> None:
    seen_in: list[int] = []
    subject: Subject[int] = Subject()
    numbers = StreamProvider[int](lambda ref: subject)

    def emit() -> None:
        for number in range(100):
            subject.on_next(number)

    async with ProviderContainer() as container:
        container.listen(numbers, lambda previous, value: seen_in.append(threading.get_ident()))
        thread = threading.Thread(target=emit)
        thread.start()
        await until(lambda: container.read(numbers) == AsyncData(99))
        thread.join()
        assert set(seen_in) == {threading.get_ident()}


def test_an_event_of_another_thread_without_a_loop_is_delivered_at_the_next_use() -> None:
    subject: Subject[int] = Subject()
    numbers = StreamProvider[int](lambda ref: subject)
    with ProviderContainer() as container:
        states = values_of(container, numbers)
        thread = threading.Thread(target=lambda: subject.on_next(5))
        thread.start()
        thread.join()
        assert container.exists(numbers)
        assert states == [AsyncData(5)]


async def test_an_event_of_another_thread_is_published_before_a_rebuild_or_never() -> None:
    subjects: list[Subject[str]] = []
    topic = StateProvider(lambda ref: 0)

    @StreamProvider
    def messages(ref: Ref) -> Observable[str]:
        ref.watch(topic)
        subjects.append(Subject())
        return subjects[-1]

    async with ProviderContainer() as container:
        states = values_of(container, messages)
        thread = threading.Thread(target=lambda: subjects[0].on_next("old"))
        thread.start()
        thread.join()  # the event is queued for this thread
        container.read(topic.notifier).state = 1
        await turns(3)
        assert len(subjects) == 2
        subjects[0].on_next("late")
        subjects[1].on_next("new")
        assert [(type(state), state.value) for state in states] == [
            (AsyncData, "old"),
            (AsyncLoading, "old"),
            (AsyncData, "new"),
        ]


async def test_while_paused_only_the_last_event_is_kept() -> None:
    subject: Subject[int] = Subject()
    numbers = StreamProvider[int](lambda ref: subject)
    async with ProviderContainer() as container:
        states: list[Any] = []
        subscription = container.listen(numbers, lambda previous, value: states.append(value))
        subscription.pause()
        for number in (1, 2, 3):
            subject.on_next(number)
        assert states == []
        subscription.resume()
        await turns()
        assert states == [AsyncData(3)]


async def test_an_awaitable_observable_is_not_awaited() -> None:
    subject: Subject[int] = Subject()
    numbers = StreamProvider[int](lambda ref: subject)
    async with ProviderContainer() as container:
        states = values_of(container, numbers)
        subject.on_next(1)
        subject.on_next(2)
        assert states == [AsyncData(1), AsyncData(2)]


# -- async iterators -------------------------------------------------------------------------------


async def test_an_error_in_the_finally_of_a_finished_generator_is_an_error_with_the_last_value() -> None:
    @StreamProvider
    async def numbers(ref: Ref) -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            raise RuntimeError("could not clean up")

    async with ProviderContainer(on_error=lambda *args: None) as container:
        states = values_of(container, numbers)
        await until(lambda: isinstance(container.read(numbers), AsyncError))
        last = states[-1]
        assert (str(last.error), last.value) == ("could not clean up", 1)


async def test_an_error_in_the_finally_of_a_closed_generator_is_reported_and_changes_no_state() -> None:
    topic = StateProvider(lambda ref: 0)
    reported: list[Any] = []

    @StreamProvider
    async def numbers(ref: Ref) -> AsyncIterator[int]:
        number = ref.watch(topic)
        try:
            yield number
            await asyncio.Event().wait()
        finally:
            if number == 0:
                raise RuntimeError("could not clean up")

    async with ProviderContainer(on_error=lambda *args: reported.append(args)) as container:
        states = values_of(container, numbers)
        await until(lambda: container.read(numbers) == AsyncData(0))
        container.read(topic.notifier).state = 1
        await until(lambda: container.read(numbers) == AsyncData(1))
        await until(lambda: reported)
        assert [type(error) for error, _ in reported] == [RuntimeError]
        assert [state.value for state in states if isinstance(state, AsyncData) and not state.is_loading] == [0, 1]
        assert not any(isinstance(state, AsyncError) for state in states)


async def test_an_error_in_the_finally_of_a_generator_is_in_the_group_of_the_container() -> None:
    @StreamProvider
    async def numbers(ref: Ref) -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            raise RuntimeError("could not clean up")

    container = ProviderContainer()
    values_of(container, numbers)
    await until(lambda: container.read(numbers) == AsyncData(1))
    with pytest.raises(ExceptionGroup) as caught:
        await container.aclose()
    assert [str(error) for error in caught.value.exceptions] == ["could not clean up"]


async def test_a_generator_is_closed_before_its_container() -> None:
    closed: list[str] = []

    @StreamProvider
    async def numbers(ref: Ref) -> AsyncIterator[int]:
        try:
            for number in range(1_000_000):
                yield number
                await asyncio.sleep(0)
        finally:
            await asyncio.sleep(0)
            closed.append("closed")

    async with ProviderContainer() as container:
        values_of(container, numbers)
        await until(lambda: container.read(numbers).has_value)
    assert closed == ["closed"]


async def test_an_iterator_without_values_stays_loading() -> None:
    @StreamProvider
    async def nothing(ref: Ref) -> AsyncIterator[int]:
        return
        yield

    async with ProviderContainer() as container:
        values_of(container, nothing)
        await turns(4)
        assert container.read(nothing) == AsyncLoading()


async def test_an_error_in_aiter_is_an_error_of_the_build() -> None:
    class Broken:
        def __aiter__(self) -> AsyncIterator[int]:
            raise ValueError("no iterator")

    numbers = StreamProvider[int](lambda ref: Broken())
    async with ProviderContainer(on_error=lambda *args: None) as container:
        state = container.read(numbers)
        assert isinstance(state, AsyncError)
        assert str(state.error) == "no iterator"


async def test_a_stream_notifier_accepts_the_same_sources() -> None:
    class Ticks(StreamNotifier[int]):
        async def build(self) -> AsyncIterator[int]:  # type: ignore[override]
            yield 1
            yield 2

    ticks = StreamNotifierProvider(Ticks)
    async with ProviderContainer() as container:
        states = values_of(container, ticks)
        await until(lambda: len(states) == 2)
        assert states == [AsyncData(1), AsyncData(2)]
        container.read(ticks.notifier).state = AsyncData(9)
        assert container.read(ticks) == AsyncData(9)


def test_an_asynchronous_source_without_a_loop_is_an_error_that_explains_it() -> None:
    @FutureProvider
    async def user(ref: Ref) -> str:
        return "Ada"

    @StreamProvider
    async def numbers(ref: Ref) -> AsyncIterator[int]:
        yield 1

    with ProviderContainer(on_error=lambda *args: None) as container:
        for provider in (user, numbers):
            state = container.read(provider)
            assert isinstance(state, AsyncError)
            assert isinstance(state.error, NoEventLoopError)


# -- cancellation ----------------------------------------------------------------------------------


class Gate:
    """An async provider that waits until the test opens it, and records the end of each build."""

    def __init__(self, *, auto_dispose: bool = False) -> None:
        self.events: list[str] = []
        self.gates: list[asyncio.Event] = []
        self.topic = StateProvider(lambda ref: 0)
        self.provider = FutureProvider(self._create, name="gated", auto_dispose=auto_dispose)

    async def _create(self, ref: Ref) -> int:
        number = ref.watch(self.topic)
        gate = asyncio.Event()
        self.gates.append(gate)
        self.events.append(f"begin {number}")
        try:
            await gate.wait()
        except asyncio.CancelledError:
            self.events.append(f"cancelled {number}")
            raise
        self.events.append(f"end {number}")
        return number


async def test_a_cancelled_awaiter_does_not_cancel_the_build_for_others() -> None:
    gate = Gate(auto_dispose=True)
    async with ProviderContainer() as container:
        impatient = start(container.read(gate.provider.future))
        patient = start(container.read(gate.provider.future))
        await until(lambda: gate.gates)
        impatient.cancel()
        await asyncio.wait([impatient])
        await turns(3)
        gate.gates[0].set()
        assert await patient == 0
        assert gate.events == ["begin 0", "end 0"]


async def test_auto_dispose_cancels_the_build_when_the_last_awaiter_is_cancelled() -> None:
    gate = Gate(auto_dispose=True)
    async with ProviderContainer() as container:
        readers = [start(container.read(gate.provider.future)) for _ in range(3)]
        await until(lambda: gate.gates)
        for reader in readers:
            reader.cancel()
        await asyncio.wait(readers)
        del readers, reader
        await until(lambda: not container.exists(gate.provider))
        await until(lambda: gate.events == ["begin 0", "cancelled 0"])


async def test_a_timeout_of_an_awaiter_does_not_cancel_the_build() -> None:
    gate = Gate()
    async with ProviderContainer() as container:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await container.read(gate.provider.future)
        await until(lambda: gate.gates)
        gate.gates[0].set()
        assert await container.read(gate.provider.future) == 0
        assert gate.events == ["begin 0", "end 0"]


async def test_a_rebuild_cancels_the_old_build_and_pending_futures_follow_the_new_one() -> None:
    gate = Gate()
    async with ProviderContainer() as container:
        states = values_of(container, gate.provider)
        reader = start(container.read(gate.provider.future))
        await until(lambda: len(gate.gates) == 1)
        container.read(gate.topic.notifier).state = 1
        await until(lambda: len(gate.gates) == 2)
        assert gate.events == ["begin 0", "cancelled 0", "begin 1"]
        gate.gates[0].set()
        gate.gates[1].set()
        assert await reader == 1
        assert [state.value for state in states if isinstance(state, AsyncData)] == [1]


def cancelled_for_zero(topic: Any, end: Callable[[], Awaitable[object]], ended: list[int]) -> FutureProvider[int]:
    """Declare a provider of a number: the build for 0 waits until it is cancelled, and then for an end."""

    @FutureProvider
    async def cancelled(ref: Ref) -> int:
        number = ref.watch(topic)
        if number == 0:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await end()
        ended.append(number)
        return number

    return cancelled


async def test_a_build_that_ignores_cancellation_publishes_nothing() -> None:
    topic = StateProvider(lambda ref: 0)
    release = asyncio.Event()
    ended: list[int] = []
    stubborn = cancelled_for_zero(topic, release.wait, ended)
    async with ProviderContainer() as container:
        states = values_of(container, stubborn)
        await turns(3)
        container.read(topic.notifier).state = 1
        await turns(3)
        assert ended == [], "the next build starts after the end of the last one"
        release.set()
        await until(lambda: container.read(stubborn) == AsyncData(1))
        assert ended == [0, 1]
        await turns(3)
        assert container.read(stubborn) == AsyncData(1)
        assert [state.value for state in states if isinstance(state, AsyncData)] == [1]


async def test_an_error_of_a_cancelled_build_is_reported_and_not_published() -> None:
    topic = StateProvider(lambda ref: 0)
    reported: list[Any] = []
    ended: list[int] = []

    async def fail() -> None:
        raise RuntimeError("failed in clean-up")

    clumsy = cancelled_for_zero(topic, fail, ended)
    async with ProviderContainer(on_error=lambda *args: reported.append(args)) as container:
        states = values_of(container, clumsy)
        await turns(3)
        container.read(topic.notifier).state = 1
        await until(lambda: container.read(clumsy) == AsyncData(1))
        await until(lambda: reported)
        assert [(str(error), provider) for error, provider in reported] == [("failed in clean-up", clumsy)]
        assert ended == [1]
        assert not any(isinstance(state, AsyncError) for state in states)


async def test_a_rebuild_before_the_first_step_leaves_no_unawaited_coroutine() -> None:
    gate = Gate()
    async with ProviderContainer() as container:
        values_of(container, gate.provider)
        container.invalidate(gate.provider)
        container.read(gate.provider)
        await until(lambda: gate.gates)
        assert gate.events == ["begin 0"]


async def test_disposal_cancels_the_build_and_a_pending_future_raises() -> None:
    gate = Gate()
    container = ProviderContainer()
    reader = start(container.read(gate.provider.future))
    await until(lambda: gate.gates)
    await container.aclose()
    assert gate.events == ["begin 0", "cancelled 0"]
    with pytest.raises(ProviderDisposedError) as caught:
        await reader
    assert caught.value.provider is gate.provider


async def test_a_build_that_cancels_itself_is_an_error_and_not_a_cancellation_of_its_awaiters() -> None:
    @FutureProvider
    async def victim(ref: Ref) -> int:
        inner = asyncio.ensure_future(asyncio.Event().wait())
        inner.cancel()
        await inner
        return 1

    async with ProviderContainer(on_error=lambda *args: None) as container:
        with pytest.raises(BuildCancelledError):
            await container.read(victim.future)
        assert isinstance(container.read(victim), AsyncError)


async def test_tasks_of_a_build_end_with_it_and_their_errors_are_reported() -> None:
    events: list[str] = []
    reported: list[Any] = []
    topic = StateProvider(lambda ref: 0)

    async def work(number: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            events.append(f"ended {number}")

    async def fail() -> None:
        raise ValueError("in a task")

    @FutureProvider
    def owner(ref: Ref) -> int:
        number = ref.watch(topic)
        ref.create_task(work(number))
        ref.create_task(fail())
        return number

    async with ProviderContainer(on_error=lambda *args: reported.append(args)) as container:
        values_of(container, owner)
        await until(lambda: reported)
        container.read(topic.notifier).state = 1
        await until(lambda: events == ["ended 0"])
        await until(lambda: len(reported) == 2)
    assert events == ["ended 0", "ended 1"]
    assert {(str(error), provider) for error, provider in reported} == {("in a task", owner)}


# -- loops that end --------------------------------------------------------------------------------


def test_a_build_cut_off_by_the_end_of_its_loop_runs_again_in_the_next() -> None:
    builds: list[str] = []
    gates: list[bool] = [False]

    @FutureProvider
    async def user(ref: Ref) -> str:
        builds.append("begun")
        while not gates[0]:
            await asyncio.sleep(0)
        return "Ada"

    async def give_up() -> None:
        container.listen(user, lambda previous, value: None)
        await turns(3)

    async def give_up_at_once() -> None:
        container.invalidate(user)
        container.read(user)

    async def finish() -> str:
        gates[0] = True
        return await container.read(user.future)

    with ProviderContainer() as container:
        asyncio.run(give_up())
        asyncio.run(give_up_at_once())
        assert asyncio.run(finish()) == "Ada"
        assert len(builds) == 3
        assert container.read(user) == AsyncData("Ada")


def test_a_stream_cut_off_by_the_end_of_its_loop_restarts_in_the_next() -> None:
    @StreamProvider
    async def numbers(ref: Ref) -> AsyncIterator[int]:
        for number in range(1_000_000):
            yield number
            await asyncio.sleep(0)

    async def follow() -> list[int]:
        seen: list[int] = []
        with container.listen(numbers, lambda previous, value: seen.append(value.value or 0)):
            await until(lambda: len(seen) >= 3)
        return seen

    with ProviderContainer() as container:
        assert 1 in asyncio.run(follow())
        assert 1 in asyncio.run(follow())


async def test_a_generator_that_ignores_cancellation_publishes_nothing_more() -> None:
    topic = StateProvider(lambda ref: 0)
    ignored: list[str] = []

    @StreamProvider
    async def numbers(ref: Ref) -> AsyncIterator[int]:
        number = ref.watch(topic)
        yield number
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ignored.append("ignored")
            yield -1
            yield -2

    async with ProviderContainer() as container:
        states = values_of(container, numbers)
        await until(lambda: container.read(numbers) == AsyncData(0))
        container.read(topic.notifier).state = 1
        await until(lambda: container.read(numbers) == AsyncData(1))
        await until(lambda: ignored)
        await turns(3)
        assert {state.value for state in states} == {0, 1}


@pytest.mark.parametrize("given", ["no network", None, KeyboardInterrupt(), ValueError])
async def test_an_rx_source_may_fail_with_any_value(given: Any) -> None:
    source: Subject[int] = Subject()
    numbers = StreamProvider(lambda ref: source)
    async with ProviderContainer(on_error=lambda error, provider: None) as container:
        container.listen(numbers, lambda previous, value: None)
        source.on_error(given)
        assert isinstance(container.read(numbers), AsyncError)
