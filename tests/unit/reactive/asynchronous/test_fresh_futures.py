"""A future is as up to date as a read, and each pending await gets a result."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import reactivex
from reactivex import operators

from tests.unit.reactive.matrix import ignore
from tetherpy.reactive import (
    AsyncError,
    FutureProvider,
    ProviderContainer,
    Ref,
    StateProvider,
    StreamProvider,
)
from tetherpy.reactive.errors import ProviderError, ReactiveError

# -- fresh after a change ------------------------------------------------------------------------

source = StateProvider(lambda ref: 1)


@FutureProvider
async def slow(ref: Ref) -> int:
    value = ref.watch(source)
    for _ in range(5):
        await asyncio.sleep(0)
    return value


async def _by_future(ref: Ref) -> int:
    return await ref.watch(slow.future)


async def _by_select(ref: Ref) -> int:
    return await ref.watch(slow.select_async(lambda value: value))


async def _by_require_value(ref: Ref) -> int:
    return ref.watch(slow).require_value


COMBINE: dict[str, Callable[[Ref], Any]] = {
    "future": _by_future,
    "select_async": _by_select,
    "require_value": _by_require_value,
}


@pytest.mark.parametrize("how", COMBINE)
@pytest.mark.parametrize("change", ["a change", "invalidate", "as_reload"])
@pytest.mark.parametrize("listens", [False, True])
@pytest.mark.parametrize("pumps", [False, True])
@pytest.mark.parametrize("levels", [1, 2])
async def test_a_future_requested_after_a_change_has_the_new_value(
    how: str, change: str, listens: bool, pumps: bool, levels: int, container: ProviderContainer
) -> None:
    builds: list[int] = []

    @FutureProvider
    async def base(ref: Ref) -> int:
        builds.append(ref.watch(source))
        for _ in range(5):
            await asyncio.sleep(0)
        return builds[-1] * 10 + len(builds)

    combined: FutureProvider[int] = base
    for _ in range(levels):

        async def create(ref: Ref, under: FutureProvider[int] = combined) -> int:
            match how:
                case "future":
                    return await ref.watch(under.future)
                case "select_async":
                    return await ref.watch(under.select_async(lambda value: value))
                case _:
                    return ref.watch(under).require_value

        combined = FutureProvider(create)
    if listens:
        container.listen(combined, ignore)
    assert await container.read(combined.future) == 11
    if change == "a change":
        container.read(source.notifier).state = 2
    else:
        container.invalidate(base, as_reload=change == "as_reload")
    if pumps:
        await container.pump()
    expected = 22 if change == "a change" else 12
    assert await asyncio.wait_for(container.read(combined.future), 5) == expected
    assert container.read(combined).value == expected


async def test_a_selected_value_read_from_a_container_is_up_to_date(container: ProviderContainer) -> None:
    part = slow.select_async(lambda value: value * 10)
    assert await container.read(part) == 10
    container.read(source.notifier).state = 2
    assert await container.read(part) == 20


# -- an answer in any case -----------------------------------------------------------------------


def _nothing() -> Any:
    @StreamProvider
    async def empty(ref: Ref) -> AsyncIterator[int]:
        for value in ():
            yield value

    return empty


EMPTY: dict[str, Callable[[], Any]] = {
    "a generator": _nothing,
    "an observable": lambda: StreamProvider(lambda ref: reactivex.empty()),
    "a filter": lambda: StreamProvider(lambda ref: reactivex.of(1, 2).pipe(operators.filter(lambda value: value > 5))),
}


@pytest.mark.parametrize("what", EMPTY)
@pytest.mark.parametrize("when", ["before", "after"])
async def test_the_future_of_an_empty_stream_fails(what: str, when: str, container: ProviderContainer) -> None:
    provider = EMPTY[what]()
    if when == "after":
        container.listen(provider, ignore)
        for _ in range(10):
            await asyncio.sleep(0)
    with pytest.raises(ReactiveError, match="ended before it delivered"):
        await asyncio.wait_for(container.read(provider.future), 5)


async def test_requiring_the_value_of_a_loading_provider_is_an_error(
    container: ProviderContainer, reported: list[BaseException]
) -> None:
    @FutureProvider
    async def never(ref: Ref) -> int:
        await asyncio.Event().wait()
        return 1

    @FutureProvider
    async def reader(ref: Ref) -> int:
        return ref.read(never).require_value

    with pytest.raises((ReactiveError, ProviderError)):
        await asyncio.wait_for(container.read(reader.future), 5)
    assert isinstance(container.read(reader), AsyncError)
    assert len(reported) == 1
    reported.clear()


@pytest.mark.parametrize("kind", ["future", "pump", "stream"])
def test_an_awaiter_in_a_closed_loop_affects_no_other(kind: str) -> None:
    container = ProviderContainer()
    subject: reactivex.Subject[int] = reactivex.Subject()
    feed = StreamProvider(lambda ref: subject)
    left: list[Any] = []

    def wait(loop: asyncio.AbstractEventLoop) -> None:
        async def begin() -> None:
            container.listen(feed, ignore)
            match kind:
                case "future":
                    left.append(loop.create_task(_await(container.read(feed.future))))
                case "pump":
                    container.invalidate(feed)
                    left.append(loop.create_task(container.pump()))
                case _:
                    states = container.stream(feed)
                    await anext(states)  # the present state: the future waits for the next one
                    left.append(loop.create_task(_await(anext(states))))
            await asyncio.sleep(0)

        loop.run_until_complete(begin())

    first = asyncio.new_event_loop()
    wait(first)
    first.close()

    async def second() -> None:
        container.listen(feed, ignore)
        waiting = asyncio.ensure_future(_await(container.read(feed.future)))
        await asyncio.sleep(0)
        subject.on_next(5)
        assert await asyncio.wait_for(waiting, 5) == 5
        await container.pump()
        await container.aclose()

    asyncio.run(second())
    for task in left:
        task._log_destroy_pending = False  # it is suppressed on purpose


async def _await(awaitable: Any) -> Any:
    return await awaitable


# -- updates -------------------------------------------------------------------------------------
