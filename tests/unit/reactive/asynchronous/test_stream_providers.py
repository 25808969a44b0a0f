"""Stream providers: observables and async generators, their events, errors and ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import reactivex
from reactivex.subject import BehaviorSubject, Subject

from tests.unit.reactive.matrix import ignore, until
from tests.unit.reactive.recording import values_of
from tetherpy.reactive import (
    AsyncData,
    AsyncError,
    AsyncLoading,
    Provider,
    ProviderContainer,
    Ref,
    StateProvider,
    StreamNotifier,
    StreamNotifierProvider,
    StreamProvider,
)
from tetherpy.reactive.errors import ProviderReturnTypeError, StreamEndedError

ERROR = OSError("no")


class Source:
    """A stream that the test controls, as an observable or as an async generator."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.subject: Subject[int] = Subject()
        self.queue: asyncio.Queue[Any] = asyncio.Queue()
        self.closed = 0
        self.opened = 0

    def __call__(self, ref: Ref | None = None) -> Any:
        self.opened += 1
        if self.kind == "rx":
            return self.subject
        self.queue = asyncio.Queue()
        return self._generate(self.queue)

    async def _generate(self, queue: asyncio.Queue[Any]) -> AsyncIterator[int]:
        try:
            while True:
                event = await queue.get()
                if event is None:
                    return
                if isinstance(event, Exception):
                    raise event
                yield event
        finally:
            self.closed += 1

    def put(self, event: int | Exception | None) -> None:
        """Emit a value or an error, or end the stream (None)."""
        if self.kind != "rx":
            self.queue.put_nowait(event)
        elif event is None:
            self.subject.on_completed()
        elif isinstance(event, Exception):
            self.subject.on_error(event)
        else:
            self.subject.on_next(event)

    @property
    def listened(self) -> bool:
        return bool(self.subject.observers) if self.kind == "rx" else self.opened > self.closed


@pytest.fixture(params=["rx", "generator"])
def source(request: pytest.FixtureRequest) -> Source:
    return Source(request.param)


# -- events --------------------------------------------------------------------------------------


async def test_a_stream_is_loading_and_then_has_each_value(source: Source, container: ProviderContainer) -> None:
    provider = StreamProvider(source)
    told = values_of(container, provider, fire_immediately=True)
    assert told == [AsyncLoading()]
    for count, value in enumerate((1, 2, 3), start=2):
        source.put(value)
        await until(lambda count=count: len(told) == count)
    assert told == [AsyncLoading(), *map(AsyncData, (1, 2, 3))]
    assert await container.read(provider.future) == 3


async def test_a_stream_may_continue_after_an_error_value(
    container: ProviderContainer, reported: list[BaseException]
) -> None:
    class Sets(StreamNotifier[int]):
        def build(self) -> Any:
            return subject

    subject: Subject[int] = Subject()
    provider = StreamNotifierProvider(Sets)
    container.listen(provider, ignore)
    subject.on_next(1)
    subject.on_error(ERROR)
    state = container.read(provider)
    assert (type(state), state.value, state.error) == (AsyncError, 1, ERROR)
    with pytest.raises(OSError, match="no"):
        await container.read(provider.future)
    container.read(provider.notifier).state = AsyncData(2)
    assert container.read(provider) == AsyncData(2)
    reported.clear()


async def test_an_error_ends_the_stream(
    source: Source, container: ProviderContainer, reported: list[BaseException]
) -> None:
    provider = StreamProvider(source)
    told = values_of(container, provider)
    source.put(1)
    await until(lambda: told == [AsyncData(1)])
    source.put(ERROR)
    await until(lambda: len(told) == 2)
    assert told[1] == AsyncError[int](ERROR).copy_with_previous(AsyncData(1))
    assert reported == [ERROR]
    assert not source.listened
    source.subject = Subject()
    container.invalidate(provider)
    state = container.read(provider)
    assert (type(state), state.is_refreshing, state.value) == (AsyncError, True, 1)
    reported.clear()


async def test_a_stream_that_ends_keeps_its_last_value(source: Source, container: ProviderContainer) -> None:
    provider = StreamProvider(source)
    container.listen(provider, ignore)
    source.put(1)
    await until(lambda: container.read(provider) == AsyncData(1))
    source.put(None)
    await until(lambda: not source.listened)
    assert container.read(provider) == AsyncData(1)
    assert await container.read(provider.future) == 1


async def test_a_stream_that_ends_without_a_value_stays_loading_and_its_future_fails(source: Source) -> None:
    async with ProviderContainer() as container:
        provider = StreamProvider(source)
        container.listen(provider, ignore)
        future = container.read(provider.future)
        await asyncio.sleep(0)
        source.put(None)
        await until(lambda: not source.listened)
        assert container.read(provider) == AsyncLoading()
        with pytest.raises(StreamEndedError):
            await future
        with pytest.raises(StreamEndedError):
            await container.read(provider.future)


async def test_equal_values_are_delivered_once(container: ProviderContainer) -> None:
    subject: Subject[int] = Subject()
    told = values_of(container, StreamProvider(lambda ref: subject))
    for _ in range(2):
        subject.on_next(42)
    assert told == [AsyncData(42)]


async def test_an_observable_with_a_value_has_no_loading_state(container: ProviderContainer) -> None:
    subject = BehaviorSubject(1)
    provider = StreamProvider(lambda ref: subject)
    told = values_of(container, provider, fire_immediately=True)
    subject.on_next(2)
    assert told == [AsyncData(1), AsyncData(2)]
    assert await container.read(provider.future) == 2


async def test_an_observable_that_fails_immediately_has_no_loading_state(
    container: ProviderContainer, reported: list[BaseException]
) -> None:
    provider = StreamProvider(lambda ref: reactivex.throw(ERROR))
    told = values_of(container, provider, fire_immediately=True)
    await until(lambda: bool(told) and told[-1] == AsyncError(ERROR))
    reported.clear()


# -- the future ----------------------------------------------------------------------------------


async def test_the_future_has_the_first_value(source: Source, container: ProviderContainer) -> None:
    provider = StreamProvider(source)
    container.listen(provider, ignore)
    futures = [container.read(provider.future) for _ in range(2)]
    source.put(42)
    assert [await future for future in futures] == [42, 42]
    source.put(43)
    await until(lambda: container.read(provider) == AsyncData(43))
    assert await container.read(provider.future) == 43


async def test_the_future_raises_the_first_error(
    source: Source, container: ProviderContainer, reported: list[BaseException]
) -> None:
    provider = StreamProvider(source)
    container.listen(provider, ignore)
    future = container.read(provider.future)
    source.put(ERROR)
    for pending in (future, container.read(provider.future)):
        with pytest.raises(OSError, match="no"):
            await pending
    reported.clear()


async def test_a_watcher_of_the_future_is_not_rebuilt_by_the_first_value(
    source: Source, container: ProviderContainer
) -> None:
    builds: list[int] = []
    provider = StreamProvider(source)

    @Provider
    def user(ref: Ref) -> Any:
        builds.append(0)
        return ref.watch(provider.future)

    future = container.listen(user, ignore).read()
    source.put(1)
    assert await future == 1
    await container.pump()
    assert len(builds) == 1


# -- the end of a build --------------------------------------------------------------------------


async def test_a_rebuild_closes_the_previous_stream(source: Source, container: ProviderContainer) -> None:
    dep = StateProvider(lambda ref: 0)

    @StreamProvider
    def provider(ref: Ref) -> Any:
        ref.watch(dep)
        return source()

    told = values_of(container, provider)
    source.put(1)
    await until(lambda: told == [AsyncData(1)])
    old = source.queue
    container.read(dep.notifier).state += 1
    await container.pump()
    old.put_nowait(99)
    assert container.read(provider).is_reloading
    source.put(2)
    await until(lambda: container.read(provider) == AsyncData(2))
    assert source.opened == 2
    assert AsyncData(99) not in told


async def test_disposal_closes_the_stream(source: Source, container: ProviderContainer) -> None:
    provider = StreamProvider.auto_dispose(source)
    subscription = container.listen(provider, ignore)
    source.put(1)
    await until(lambda: container.read(provider) == AsyncData(1))
    assert source.listened
    subscription.close()
    await container.pump()
    await until(lambda: not source.listened)


@pytest.mark.parametrize("views", ["state", "future"])
async def test_a_rebuild_with_an_equal_value_notifies_no_listener(views: str) -> None:
    container = ProviderContainer()
    dep = StateProvider(lambda ref: 0)

    @StreamProvider
    def provider(ref: Ref) -> Any:
        ref.watch(dep)
        return reactivex.never()

    told = values_of(container, provider if views == "state" else provider.future, fire_immediately=True)
    container.read(dep.notifier).state += 1
    await container.pump()
    container.invalidate(provider)
    await container.pump()
    assert len(told) == 1
    await container.aclose()


# -- values that are not streams ---------------------------------------------------------------------------


@pytest.mark.parametrize("returned", [[1, 2], 42, None])
async def test_a_value_that_is_not_a_stream_is_refused_with_its_type(
    returned: object, container: ProviderContainer, reported: list[BaseException]
) -> None:
    provider: Any = StreamProvider(lambda ref: returned)  # type: ignore[arg-type]  # what the test is about
    state = container.read(provider)
    assert isinstance(state.error, ProviderReturnTypeError)
    assert (state.error.provider, state.error.returned) == (provider, returned)
    reported.clear()


async def test_an_error_in_the_function_is_an_error_state(
    container: ProviderContainer, reported: list[BaseException]
) -> None:
    @StreamProvider
    def provider(ref: Ref) -> Any:
        raise ERROR

    assert container.read(provider) == AsyncError(ERROR)
    reported.clear()


async def test_each_member_of_a_family_has_its_own_stream(container: ProviderContainer) -> None:
    @StreamProvider.family
    async def family(ref: Ref, count: int) -> AsyncIterator[str]:
        yield f"{count} items"

    assert [await container.read(family(count).future) for count in (0, 1)] == ["0 items", "1 items"]


# -- a notifier ----------------------------------------------------------------------------------


async def test_the_stream_of_a_notifier_continues_after_its_state_was_set(
    source: Source, container: ProviderContainer
) -> None:
    class Feeds(StreamNotifier[int]):
        def build(self) -> Any:
            return source()

    provider = StreamNotifierProvider(Feeds)
    told = values_of(container, provider)
    container.read(provider.notifier).state = AsyncData(21)
    source.put(42)
    await until(lambda: told == [AsyncData(21), AsyncData(42)])


# -- a container's own streams -------------------------------------------------------------------


async def test_a_container_gives_observables_of_providers(container: ProviderContainer) -> None:
    number = StateProvider.auto_dispose(lambda ref: 0)
    told: list[int] = []
    subscription = container.observe(number).subscribe(told.append)
    container.read(number.notifier).state = 1
    assert told == [0, 1]
    subscription.dispose()
    await container.pump()
    assert not container.exists(number)


async def test_a_container_gives_async_iterators_of_providers() -> None:
    container = ProviderContainer()
    number = StateProvider(lambda ref: 0)
    told: list[int] = []

    async def follow() -> None:
        told.extend([value async for value in container.stream(number)])

    task = asyncio.create_task(follow())
    await until(lambda: container.exists(number))
    container.read(number.notifier).state = 1
    container.read(number.notifier).state = 2
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await container.aclose()
    await asyncio.wait_for(task, 25)
    assert told == [0, 2]
