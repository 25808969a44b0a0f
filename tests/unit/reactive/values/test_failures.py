"""Errors that are raised repeatedly, exception groups, and replaced callables and notifiers."""

from __future__ import annotations

import asyncio
import copy
import pickle
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
from reactivex import Subject

from tetherpy.reactive import (
    AsyncData,
    AsyncError,
    AsyncLoading,
    AsyncNotifier,
    AsyncNotifierProvider,
    AsyncValue,
    FutureProvider,
    Notifier,
    NotifierProvider,
    Provider,
    ProviderContainer,
    Ref,
    StateProvider,
    StreamProvider,
    exponential_retry,
)
from tetherpy.reactive.errors import BatchOverAwaitError, ProviderError, UnmountedRefError

number = StateProvider(lambda ref: 0, name="number")


@FutureProvider
async def broken(ref: Ref) -> str:
    raise OSError("offline")


@Provider
def view(ref: Ref) -> str:
    ref.watch(number)
    return ref.watch(broken).require_value


@Provider.family
def item(ref: Ref, key: int) -> int:
    return key


def frames(error: BaseException | None) -> int:
    trace, count = None if error is None else error.__traceback__, 0
    while trace is not None:
        trace, count = trace.tb_next, count + 1
    return count


def _raise(error: Exception) -> str:
    raise error


async def _again(container: ProviderContainer) -> object:
    return await AsyncValue.guard_async(lambda: _awaited(container.read(broken.future)))


async def _awaited(future: Awaitable[str]) -> str:
    return await future


READS: dict[str, Callable[[ProviderContainer], Any]] = {
    "require_value": lambda container: container.read(broken).require_value,
    "raised by the caller": lambda container: _raise(_error(container.read(broken))),
    "when": lambda container: container.read(broken).when(data=str, error=_raise, loading=str),
    "combine": lambda container: AsyncValue.combine(container.read(broken), AsyncData(1)).require_value,
    "when_data": lambda container: container.read(broken).when_data(str).require_value,
    "unwrap_previous": lambda container: container.read(broken).unwrap_previous().require_value,
    "copy_with_previous": lambda container: (
        container.read(broken).copy_with_previous(AsyncLoading[str]()).require_value
    ),
    "guard": lambda container: AsyncValue.guard(lambda: container.read(broken).require_value).require_value,
    "a view": lambda container: container.read(view),
    "select": lambda container: container.read(broken.select(lambda state: state.require_value)),
}


def _error(state: AsyncValue[Any]) -> Exception:
    assert state.error is not None
    return state.error


async def test_an_error_raised_repeatedly_does_not_grow() -> None:
    async with ProviderContainer(on_error=lambda error, provider: None) as container:
        container.listen(broken, lambda previous, value: None)
        await container.pump()
        await _again(container)
        error = _error(container.read(broken))
        for way, read in READS.items():
            depths: list[int] = []
            for turn in range(20):
                container.read(number.notifier).state = turn
                await container.pump()
                with pytest.raises((OSError, ProviderError)):
                    read(container)
                depths.append(frames(error))
            assert len(set(depths[1:])) == 1, way
        for _ in range(20):
            await _again(container)
            with pytest.raises(OSError, match="offline"):
                await container.read(broken.select_async(str))
        assert frames(error) < 30
        state: AsyncValue[str] = container.read(broken)
        for _ in range(20):  # each keeps the error of the last one
            state = AsyncValue.guard(partial(getattr, state, "require_value"))
        assert frames(error) < 30


@pytest.mark.parametrize("nested", [False, True])
async def test_still_loading_inside_a_task_group_counts_as_loading(nested: bool) -> None:
    ready = asyncio.Event()

    @FutureProvider
    async def user(ref: Ref) -> str:
        await ready.wait()
        return "ann"

    through = Provider(lambda ref: ref.watch(user).require_value)

    @FutureProvider
    async def greeting(ref: Ref) -> str:
        async def name() -> str:
            if not nested:
                return ref.watch(through)
            async with asyncio.TaskGroup() as inner:
                return inner.create_task(asyncio.sleep(0, ref.watch(user).require_value)).result()

        async with asyncio.TaskGroup() as group:
            task = group.create_task(name() if not nested else asyncio.sleep(0, ref.watch(through)))
        return f"hello {task.result()}"

    errors: list[object] = []
    async with ProviderContainer(on_error=lambda error, provider: errors.append(error)) as container:
        states: list[AsyncValue[str]] = []
        container.listen(greeting, lambda previous, state: states.append(state))
        await container.pump()
        assert container.read(greeting) == AsyncLoading()
        ready.set()
        assert await container.read(greeting.future) == "hello ann"
        assert not [state for state in states if state.has_error]
    assert not errors


async def test_a_failure_in_a_group_with_still_loading_is_a_failure_and_is_reported_once() -> None:
    @FutureProvider
    async def both(ref: Ref) -> str:
        raise ExceptionGroup("both", [ValueError("real"), *_loading_error()])

    failed = Provider(lambda ref: _raise(ValueError("root cause")))

    @FutureProvider
    async def uses_failed(ref: Ref) -> str:
        async with asyncio.TaskGroup():
            return ref.watch(failed)

    errors: list[BaseException] = []
    async with ProviderContainer(on_error=lambda error, provider: errors.append(error)) as container:
        with pytest.raises(ExceptionGroup):
            await container.read(both.future)
        with pytest.raises(ExceptionGroup):
            await container.read(uses_failed.future)
    assert [type(error) for error in errors] == [ExceptionGroup, ValueError]


def _loading_error() -> list[Exception]:
    try:
        AsyncLoading[int]().require_value  # noqa: B018  it raises
    except Exception as error:
        return [error]
    return []


def test_exponential_retry_checks_exceptions_in_groups() -> None:
    for hopeless in (TypeError("bug"), KeyError("bug"), ProviderError("p")):
        group = ExceptionGroup("outer", [OSError("offline"), ExceptionGroup("inner", [hopeless])])
        assert exponential_retry(0, group) is None
    assert exponential_retry(0, ExceptionGroup("outer", [OSError("offline")])) == exponential_retry(0, OSError())


def test_the_text_of_a_provider_error_contains_the_first_cause() -> None:
    first = Provider(lambda ref: _raise(ValueError("no such user.\nask again")), name="first")
    last = Provider(lambda ref: ref.watch(Provider(lambda ref: ref.watch(first))), name="last")
    with ProviderContainer(on_error=lambda error, provider: None) as container:
        with pytest.raises(ProviderError, match=r"its function raised ValueError: no such user\. "):
            container.read(first)
        with pytest.raises(ProviderError, match=r"ProviderError, because of ValueError: no such user\. ") as caught:
            container.read(last)
    assert isinstance(caught.value.root, ValueError)


class Falsy(list[Any]):
    """A callable that is false."""

    def __call__(self, *arguments: Any) -> Any:
        self.append(arguments)


async def test_false_callables_are_called() -> None:
    on_error, retry, own_retry = Falsy(), Falsy(), Falsy()
    own = FutureProvider(lambda ref: _raise(OSError("offline")), retry=own_retry)
    async with ProviderContainer(on_error=on_error, retry=retry) as container:
        child = ProviderContainer(parent=container, retry=Falsy(), on_error=Falsy())
        child.read(own)
        child.read(broken)
        await container.pump()
        with pytest.raises(OSError, match="offline"):
            await child.read(broken.future)
    assert len(on_error) == 2
    assert (len(retry), len(own_retry)) == (1, 1)
    called = Falsy()
    AsyncData(1).maybe_when(or_else=lambda: None, data=called)
    AsyncData(1).maybe_map(or_else=lambda: None, data=called)
    AsyncLoading[int]().maybe_when(or_else=lambda: None, loading=called)
    assert len(called) == 3


async def test_an_rx_source_may_fail_with_any_value() -> None:
    for given in ("no network", None, KeyboardInterrupt(), ValueError):
        source: Subject[int] = Subject()
        numbers = _stream(source)
        async with ProviderContainer(on_error=lambda error, provider: None) as container:
            container.listen(numbers, lambda previous, value: None)
            source.on_error(given)  # type: ignore[arg-type]  # what sources do
            assert isinstance(container.read(numbers), AsyncError)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_states_and_providers_can_be_copied(copied: Callable[[Any], Any]) -> None:
    error = OSError("offline")
    states = [
        AsyncLoading(0.5), AsyncData(None), AsyncData([1]).copy_with_previous(AsyncLoading()),
        AsyncLoading().copy_with_previous(AsyncData(1)), AsyncLoading().copy_with_previous(AsyncError(error)),
        AsyncError(error), AsyncError(error).copy_with_previous(AsyncData(1)), AsyncData(1).retried_after(error),
        AsyncLoading().cached(3),
    ]  # fmt: skip
    for state in states:
        again = copied(state)
        assert (type(again), repr(again), again.has_value) == (type(state), repr(state), state.has_value)
    for provider in (number, broken, item, item(3), item(key=4)):
        assert copied({"provider": provider})["provider"] is provider


def _stream(source: Subject[int]) -> StreamProvider[int]:
    return StreamProvider(lambda ref: source)


class Counter(Notifier[int]):
    def build(self) -> int:
        return 0

    def add(self) -> None:
        self.state += 1


class FakeCounter(Counter):
    def add(self) -> None:
        self.state += 1000


class User(AsyncNotifier[str]):
    def __init__(self, name: str = "ann") -> None:
        self.name = name

    async def build(self) -> str:
        return self.name


class FakeUser(User):
    async def build(self) -> str:
        return "fake"


def test_a_replaced_notifier_is_unmounted() -> None:
    counter = NotifierProvider(Counter)
    ways = [
        counter.override_with(Counter), counter.override_with_value(5),
        counter.override_with_build(lambda ref, notifier: 5), counter.override_with(FakeCounter),
    ]  # fmt: skip
    with ProviderContainer(overrides=[counter.override_with(FakeCounter)]) as container:
        for override in ways:
            old = container.read(counter.notifier)
            container.update_overrides([override])
            for use in (lambda old=old: setattr(old, "state", 77), old.add, lambda old=old: old.ref):
                with pytest.raises(UnmountedRefError):
                    use()
            new = container.read(counter.notifier)
            assert new is not old
            assert type(new) is (FakeCounter if override is ways[-1] else Counter)
            new.add()
        assert container.read(counter) == 1000


async def test_a_replaced_asynchronous_notifier_is_unmounted() -> None:
    user = AsyncNotifierProvider(User)
    ways = [
        user.override_with_value(AsyncData("value")), user.override_with_build(lambda ref, notifier: "built"),
        user.override_with(User), user.override_with_value(AsyncData("other")),
    ]  # fmt: skip
    async with ProviderContainer(overrides=[user.override_with(FakeUser)]) as container:
        container.listen(user, lambda previous, value: None)
        for override, name in zip(ways, ("value", "built", "ann", "other"), strict=True):
            old = container.read(user.notifier)
            late = asyncio.ensure_future(old.update(lambda name: asyncio.sleep(0, "late")))
            await asyncio.sleep(0)
            container.update_overrides([override])
            with pytest.raises(UnmountedRefError):
                old.state = AsyncData("old")
            assert await container.read(user.future) == name
            await asyncio.wait([late])
            assert late.exception() is None or isinstance(late.exception(), UnmountedRefError)
            new = container.read(user.notifier)
            assert type(new) is User
            assert container.read(user).value == name
            new.state = AsyncData("mine")
            assert container.read(user).value == "mine"


async def test_the_build_of_a_family_of_notifiers_can_be_overridden() -> None:
    users = AsyncNotifierProvider.family(User)
    counters = NotifierProvider.family(lambda start: Counter())
    overrides = [
        users.override_with_build(lambda ref, user: f"{user.name} of {ref.watch(number)}"),
        counters.override_with_build(lambda ref, counter: ref.watch(number) + 5),
        users("bob").override_with_value(AsyncData("Bob")),
    ]
    async with ProviderContainer(overrides=overrides) as container:
        assert await container.read(users("eve").future) == "eve of 0"
        assert await container.read(users("bob").future) == "Bob"
        container.listen(counters(1), lambda previous, value: None)
        assert container.read(counters(1)) == 5
        container.read(counters(1).notifier).add()
        assert container.read(counters(1)) == 6


def test_a_provider_or_family_in_the_overrides_has_its_own_state_in_that_container() -> None:
    counter = NotifierProvider(Counter, dependencies=[])
    double = Provider(lambda ref: ref.watch(counter) * 2, dependencies=[counter])
    counters = NotifierProvider.options(dependencies=[]).family(lambda start: Counter())
    with ProviderContainer() as container:
        container.read(counter.notifier).add()
        container.read(counters(1).notifier).add()
        child = ProviderContainer(parent=container, overrides=[counter, counters])
        assert (child.read(counter), child.read(double), child.read(counters(1))) == (0, 0, 0)
        child.read(counter.notifier).state = 5
        assert (child.read(double), container.read(double)) == (10, 2)
        assert (container.read(counter), container.read(counters(1))) == (1, 1)
        child.update_overrides([counter, counters])
        assert child.read(counter) == 5
        child.update_overrides([counter.override_with_value(7), counters])
        assert child.read(double) == 14
        assert ProviderContainer(overrides=[counter]).read(counter) == 0


async def test_a_batch_that_awaits_delivers_its_changes_and_logs_a_warning() -> None:
    async with ProviderContainer() as container:
        told = asyncio.Event()
        container.listen(number, lambda previous, value: told.set())

        async def change(after: Callable[[], Awaitable[object]]) -> None:
            with container.batch():
                container.read(number.notifier).state = 1
                await asyncio.wait_for(told.wait(), 10)
                await after()

        async def fail() -> None:
            raise ZeroDivisionError

        with pytest.raises(BatchOverAwaitError):
            await change(lambda: asyncio.sleep(0))
        with pytest.raises(ZeroDivisionError):
            await change(fail)
        told.clear()
        with container.batch(), container.batch():
            container.read(number.notifier).state = 2
            assert not told.is_set()
        assert told.is_set()
