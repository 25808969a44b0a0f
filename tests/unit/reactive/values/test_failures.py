"""Errors that are raised repeatedly, exception groups, and states and errors that are copied."""

from __future__ import annotations

import asyncio
import copy
import pickle
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from tetherpy.reactive import (
    AsyncData,
    AsyncError,
    AsyncLoading,
    AsyncValue,
    FutureProvider,
    Provider,
    ProviderContainer,
    Ref,
    StateProvider,
    exponential_retry,
)
from tetherpy.reactive.errors import BatchOverAwaitError, ProviderError

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
