"""A container uses the loop that runs when it is used, and one thread; calls of other threads run in order."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

import pytest
import reactivex

from tests.support.waiting import until
from tests.unit.reactive.builders import async_provider_of, notifier_of
from tests.unit.reactive.declared import counter, double, number
from tests.unit.reactive.matrix import ignore
from tetherpy.reactive import AsyncData, AsyncError, FutureProvider, Provider, ProviderContainer, Ref, StreamProvider
from tetherpy.reactive.errors import NoEventLoopError, WrongThreadError

USES: dict[str, Callable[[ProviderContainer], Any]] = {
    "build": lambda container: container.read(Provider(lambda ref: 1)),
    "listen": lambda container: container.listen(double, ignore),
    "set a state": lambda container: setattr(container.read(number.notifier), "state", 1),
    "exists": lambda container: container.exists(number),
}


def in_thread(fn: Callable[[], object]) -> None:
    thread = threading.Thread(target=fn)
    thread.start()
    thread.join()


def made_in_an_earlier_loop() -> ProviderContainer:
    async def make() -> ProviderContainer:
        return ProviderContainer()

    return asyncio.run(make())


# -- which loop ----------------------------------------------------------------------------------


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("make", [ProviderContainer, made_in_an_earlier_loop], ids=["no loop", "earlier loop"])
def test_calls_of_threads_run_in_the_most_recently_used_loop(make: Callable[[], ProviderContainer], use: str) -> None:
    container = make()

    async def main() -> None:
        USES[use](container)
        ran = asyncio.Event()
        in_thread(lambda: container.call_soon_threadsafe(ran.set))
        await asyncio.wait_for(ran.wait(), 5)

    asyncio.run(main())
    asyncio.run(main())
    container.dispose()


@pytest.mark.parametrize("make", [ProviderContainer, made_in_an_earlier_loop], ids=["no loop", "earlier loop"])
def test_events_of_other_threads_are_delivered_in_each_loop(make: Callable[[], ProviderContainer]) -> None:
    container = make()
    done = threading.Event()

    @StreamProvider
    def ticks(ref: Ref) -> Any:
        def subscribe(observer: Any, scheduler: Any = None) -> None:
            threading.Thread(target=lambda: [observer.on_next(tick) for tick in range(3)] and done.set()).start()

        return reactivex.create(subscribe)

    async def main() -> None:
        heard: list[int] = []
        last = asyncio.Event()

        def hear(previous: Any, state: Any) -> None:
            heard.append(state.value)
            if state.value == 2:
                last.set()

        container.invalidate(ticks)
        with container.listen(ticks, hear):
            await asyncio.wait_for(last.wait(), 5)
        assert done.wait(5)

    asyncio.run(main())
    asyncio.run(main())
    container.dispose()


# -- calls of other threads ----------------------------------------------------------------------


@pytest.mark.parametrize("with_loop", [False, True])
def test_calls_run_one_after_another_and_none_is_lost(with_loop: bool) -> None:
    """A call that reads uses the container, which runs queued calls at each use."""
    container = ProviderContainer()
    container.read(double)
    log: list[int] = []
    nested: list[int] = []
    running = False

    def call(place: int) -> None:
        nonlocal running
        if running:
            nested.append(place)
        running = True
        container.read(number.notifier).state = place
        assert container.read(double) == place * 2
        log.append(place)
        running = False

    def send() -> None:
        for place in range(3_000):
            container.call_soon_threadsafe(lambda place=place: call(place))

    async def main() -> None:
        container.exists(double)
        in_thread(send)
        async with asyncio.timeout(10):
            while len(log) < 3_000:
                await asyncio.sleep(0)

    if with_loop:
        asyncio.run(main())
    else:
        in_thread(send)
        container.exists(double)
    assert nested == []
    assert log == list(range(3_000))
    container.dispose()


@pytest.mark.parametrize("place", ["build", "batch", "listener", "disposer"])
def test_no_call_runs_inside_another_operation(place: str) -> None:
    reported: list[BaseException] = []
    container = ProviderContainer(on_error=lambda error, provider: reported.append(error))
    seen: list[str] = []
    inside = [False]

    def work() -> int:
        inside[0] = True
        in_thread(lambda: container.call_soon_threadsafe(write))
        container.read(other)
        inside[0] = False
        return 1

    def write() -> None:
        seen.append("inside" if inside[0] else "outside")
        container.read(number.notifier).state = 7

    other = Provider(lambda ref: 5)
    worker = Provider.auto_dispose(lambda ref: work() if place == "build" else ref.on_dispose(work))
    container.read(number)
    match place:
        case "build":
            container.read(worker)
        case "batch":
            with container.batch():
                work()
        case "listener":
            container.listen(number, lambda previous, value: work() if value == 1 else None)
            container.read(number.notifier).state = 1
        case _:
            container.read(other)
            container.read(worker)
    assert container.read(number) == 7
    assert (seen, reported) == (["outside"], [])
    container.dispose()


@pytest.mark.parametrize("with_loop", [False, True])
def test_no_call_runs_between_a_read_and_a_write(with_loop: bool) -> None:
    """Each call adds one to a state, and neither addition is lost."""
    container = ProviderContainer()
    controller = container.read(number.notifier)

    def add() -> None:
        controller.state += 1

    def add_while_a_thread_adds() -> None:
        value = controller.state
        in_thread(lambda: container.call_soon_threadsafe(add))
        controller.state = value + 1

    async def main() -> None:
        container.exists(number)
        add_while_a_thread_adds()
        assert controller.state == 1
        await asyncio.sleep(0)

    if with_loop:
        asyncio.run(main())
    else:
        add_while_a_thread_adds()
    assert controller.state == 2
    container.dispose()


@pytest.mark.parametrize("entry", USES)
def test_under_a_loop_calls_run_only_in_the_loop(entry: str) -> None:
    """As in ``asyncio``: code without an await is never interrupted by a call of another thread."""
    container = ProviderContainer()
    called: list[int] = []

    async def main() -> None:
        USES[entry](container)
        in_thread(lambda: container.call_soon_threadsafe(lambda: called.append(1)))
        USES[entry](container)
        assert called == []
        await asyncio.sleep(0)
        assert called == [1]

    asyncio.run(main())
    container.dispose()


# -- the wrong thread ----------------------------------------------------------------------------


watching = notifier_of(lambda ref: ref.watch(number))
reader = Provider(lambda ref: ref)
kept = Provider.auto_dispose(lambda ref: ref.keep_alive())

ENTRIES: dict[str, Callable[[ProviderContainer, Any], Any]] = {
    "container.read": lambda container, parts: container.read(double),
    "container.listen": lambda container, parts: container.listen(double, ignore),
    "container.invalidate": lambda container, parts: container.invalidate(double),
    "container.refresh": lambda container, parts: container.refresh(double),
    "container.exists": lambda container, parts: container.exists(double),
    "container.dispose": lambda container, parts: container.dispose(),
    "subscription.read": lambda container, parts: parts["subscription"].read(),
    "subscription.pause": lambda container, parts: parts["subscription"].pause(),
    "subscription.resume": lambda container, parts: parts["subscription"].resume(),
    "subscription.close": lambda container, parts: parts["subscription"].close(),
    "Notifier.state": lambda container, parts: parts["counter"].state,
    "Notifier.state = x": lambda container, parts: setattr(parts["counter"], "state", 1),
    "StateController.state": lambda container, parts: parts["controller"].state,
    "StateController.update": lambda container, parts: parts["controller"].update(lambda value: value + 1),
    "KeepAliveLink.close": lambda container, parts: parts["link"].close(),
    "ref.watch": lambda container, parts: parts["ref"].watch(double),
    "ref.read": lambda container, parts: parts["ref"].read(double),
    "ref.listen": lambda container, parts: parts["ref"].listen(double, ignore),
    "ref.on_dispose": lambda container, parts: parts["ref"].on_dispose(lambda: None),
    "ref.on_cancel": lambda container, parts: parts["ref"].on_cancel(lambda: None),
    "ref.keep_alive": lambda container, parts: parts["ref"].keep_alive(),
    "ref.cache_for": lambda container, parts: parts["ref"].cache_for(1),
    "ref.enter": lambda container, parts: parts["ref"].enter(nullcontext()),
    "ref.invalidate_self": lambda container, parts: parts["ref"].invalidate_self(),
    "ref.notify_listeners": lambda container, parts: parts["ref"].notify_listeners(),
}


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("with_loop", [False, True])
@pytest.mark.parametrize("is_settled", [False, True])
def test_every_entry_point_refuses_other_threads(entry: str, with_loop: bool, is_settled: bool) -> None:
    def check() -> None:
        builds: list[int] = []
        with ProviderContainer() as container:
            watched = Provider(lambda ref: builds.append(threading.get_ident()) or ref.watch(number))
            parts = {
                "subscription": container.listen(watched, ignore),
                "counter": container.read(watching.notifier),
                "controller": container.read(number.notifier),
                "link": container.read(kept),
                "ref": container.read(reader),
            }
            parts["subscription"].pause()
            container.read(double)
            container.read(number.notifier).state = 5
            if is_settled:
                container.read(watching)
                container.read(double)
            raised: list[BaseException] = []

            def use() -> None:
                try:
                    ENTRIES[entry](container, parts)
                except WrongThreadError as error:
                    raised.append(error)

            in_thread(use)
            assert len(raised) == 1
            assert set(builds) <= {threading.get_ident()}
            assert container.read(double) == 10
            assert container.exists(kept)
            parts["link"].close()

    async def main() -> None:
        check()

    asyncio.run(main()) if with_loop else check()


def test_a_thread_pool_inside_a_build_is_refused() -> None:
    square = Provider.family(lambda ref, side: (threading.get_ident(), side * side)[1])

    @Provider
    def squares(ref: Ref) -> list[Any]:
        def watch(side: int) -> Any:
            try:
                return ref.watch(square(side))
            except WrongThreadError as error:
                return type(error)

        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(watch, range(4)))

    with ProviderContainer() as container:
        assert container.read(squares) == [WrongThreadError] * 4


# -- timers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_async", [False, True])
def test_a_pending_retry_of_a_closed_loop_runs_in_the_next(is_async: bool) -> None:
    tries: list[int] = []
    container = ProviderContainer(on_error=lambda error, provider: None)

    def attempt() -> str:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("once")
        return "ok"

    @FutureProvider.options(retry=lambda count, error: 0.01)
    async def eventual(ref: Ref) -> str:
        return attempt()

    direct = Provider.options(retry=lambda count, error: 0.01)(lambda ref: attempt())
    provider: Any = eventual if is_async else direct
    heard = asyncio.Event()
    values: list[Any] = []

    def hear(previous: Any, value: Any) -> None:
        values.append(value)
        if value in ("ok", AsyncData("ok")):
            heard.set()

    async def first() -> None:
        container.listen(provider, hear)
        while not tries:
            await asyncio.sleep(0)

    async def second() -> None:
        container.exists(provider)
        if is_async:
            assert await asyncio.wait_for(container.read(eventual.future), 5) == "ok"
        await asyncio.wait_for(heard.wait(), 5)

    asyncio.run(first())
    asyncio.run(second())
    container.dispose()


def test_a_pending_cache_time_of_a_closed_loop_ends_in_the_next() -> None:
    container = ProviderContainer()
    ended = asyncio.Event()

    @Provider.auto_dispose
    def cached(ref: Ref) -> int:
        ref.cache_for(0.2)
        ref.on_dispose(ended.set)
        return 1

    async def first() -> None:
        container.listen(cached, ignore).close()

    async def second() -> None:
        assert container.exists(cached)
        await asyncio.wait_for(ended.wait(), 5)

    asyncio.run(first())
    asyncio.run(second())
    container.dispose()


def test_a_cache_time_without_a_loop_starts_in_the_next() -> None:
    reported: list[BaseException] = []
    container = ProviderContainer(on_error=lambda error, provider: reported.append(error))
    ended: list[str] = []

    @Provider.auto_dispose
    def cached(ref: Ref) -> int:
        ref.cache_for(0.01)
        ref.on_dispose(lambda: ended.append("cached"))
        return 1

    async def main() -> None:
        assert container.exists(cached)
        await until(lambda: ended)

    for _ in range(3):
        container.listen(cached, ignore).close()
    assert {type(error) for error in reported} == {NoEventLoopError}
    asyncio.run(main())
    assert ended == ["cached"]
    container.dispose()


@pytest.mark.parametrize("kind", ["future", "stream", "notifier", "set meanwhile"])
def test_a_build_that_failed_without_a_loop_runs_again_in_the_next(kind: str) -> None:
    container = ProviderContainer(on_error=lambda error, provider: None)

    async def build(ref: Ref) -> str:
        return "built"

    provider = async_provider_of("notifier" if kind == "set meanwhile" else kind, build)
    user = FutureProvider(lambda ref: ref.watch(provider.future))
    watched = container.listen(provider, ignore)
    assert isinstance(watched.read(), AsyncError)
    container.read(user)
    if kind == "set meanwhile":
        container.read(provider.notifier).state = AsyncData("set")

    async def main() -> None:
        expected = "set" if kind == "set meanwhile" else "built"
        assert await container.read(user.future) == expected
        assert watched.read() == AsyncData(expected)

    asyncio.run(main())
    asyncio.run(main())
    container.dispose()


SETTLED_USES: dict[str, Callable[[ProviderContainer, Any], Any]] = {
    "read": lambda container, notifier: container.read(counter),
    "state": lambda container, notifier: notifier.state,
    "set": lambda container, notifier: setattr(notifier, "state", notifier.state + 1),
}


@pytest.mark.parametrize("use", SETTLED_USES)
@pytest.mark.parametrize("with_loop", [False, True])
def test_each_read_of_a_settled_value_runs_calls_of_other_threads(use: str, with_loop: bool) -> None:
    container = ProviderContainer()
    called: list[int] = []

    async def build() -> Any:
        container.read(counter)
        return container.read(counter.notifier)

    notifier = asyncio.run(build())
    in_thread(lambda: container.call_soon_threadsafe(lambda: called.append(1)))

    async def use_it() -> None:
        SETTLED_USES[use](container, notifier)
        while not called:
            await asyncio.sleep(0)

    if with_loop:
        asyncio.run(asyncio.wait_for(use_it(), 5))
    else:
        SETTLED_USES[use](container, notifier)
    assert called == [1]
    container.dispose()


@pytest.mark.parametrize("is_watched_before", [False, True])
async def test_a_build_cannot_watch_a_settled_provider_from_another_thread(is_watched_before: bool) -> None:
    refused: list[type[BaseException] | None] = []

    def watch_in_thread(ref: Ref) -> None:
        with ThreadPoolExecutor(1) as pool:
            error = pool.submit(ref.watch, number).exception()
        refused.append(None if error is None else type(error))

    @Provider
    def synchronous(ref: Ref) -> int:
        if is_watched_before:
            ref.watch(double)
        watch_in_thread(ref)
        return ref.watch(number)

    @FutureProvider
    async def asynchronous(ref: Ref) -> int:
        await asyncio.sleep(0)
        watch_in_thread(ref)
        return ref.watch(number)

    async with ProviderContainer() as container:
        container.read(double)
        assert container.read(synchronous) == 0
        assert await container.read(asynchronous.future) == 0
        assert refused == [WrongThreadError] * 2
        container.read(number.notifier).state = 1
        assert container.read(synchronous) == 1, "the refused call of the thread must not prevent the dependency"
        assert await container.read(asynchronous.future) == 1
