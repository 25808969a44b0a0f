"""Resources of a build are closed once, and no error of the closing is lost."""

from __future__ import annotations

import asyncio
import gc
import threading
from typing import Any

import pytest
from reactivex import Subject

from tests.unit.reactive.declared import cached_for
from tests.unit.reactive.matrix import ignore, until
from tests.unit.reactive.recording import observer_with
from tetherpy.reactive import FutureProvider, Provider, ProviderContainer, Ref, StateProvider, StreamProvider
from tetherpy.testing import Clock


class Iterator:
    """An async iterator that records its end."""

    def __init__(self, log: list[str], fails: bool = False) -> None:
        self.log = log
        self.fails = fails
        log.append("open")

    def __aiter__(self) -> Any:
        return self

    async def __anext__(self) -> int:
        await asyncio.Event().wait()
        return 1

    async def aclose(self) -> None:
        self.log.append("close")
        if self.fails:
            raise OSError("no")


@pytest.mark.parametrize("steps", [0, 1, 3])
@pytest.mark.parametrize("end", ["invalidate", "close the container", "leave"])
async def test_an_iterator_is_closed_with_its_build(end: str, steps: int, container: ProviderContainer) -> None:
    log: list[str] = []
    stream = StreamProvider.auto_dispose(lambda ref: Iterator(log))
    subscription = container.listen(stream, ignore)
    for _ in range(steps):
        await asyncio.sleep(0)
    if end == "invalidate":
        container.invalidate(stream)
        await container.pump()
    elif end == "leave":
        subscription.close()
        await container.pump()
    await container.aclose()
    assert log.count("open") == log.count("close") >= 1


@pytest.mark.parametrize("steps", [0, 3])
async def test_an_error_of_aclose_is_reported(
    steps: int, container: ProviderContainer, reported: list[BaseException]
) -> None:
    log: list[str] = []
    unseen: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: unseen.append(context))
    stream = StreamProvider(lambda ref: Iterator(log, fails=len(log) == 0))
    subscription = container.listen(stream, ignore)
    for _ in range(steps):
        await asyncio.sleep(0)
    container.invalidate(stream)
    await until(lambda: bool(reported))
    assert [type(error) for error in reported] == [OSError]
    reported.clear()
    subscription.close()
    gc.collect()
    assert unseen == []


async def test_a_close_that_timed_out_hides_no_later_errors(
    container: ProviderContainer, reported: list[BaseException]
) -> None:
    gate = asyncio.Event()

    async def fail_later() -> None:
        await gate.wait()
        raise OSError("late")

    provider = Provider(lambda ref: ref.on_dispose(fail_later))
    container.read(provider)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.001):
            await container.aclose()
    gate.set()
    await container.aclose()
    await until(lambda: bool(reported))
    assert [type(error) for error in reported] == [OSError]
    reported.clear()


def test_refused_overrides_can_be_used_again() -> None:
    value = Provider(lambda ref: 0)
    given = [1]

    @Provider
    def meddler(ref: Ref) -> int:
        if given:
            container.update_overrides([value.override_with_value(2)])
        return 1

    with ProviderContainer(
        overrides=[value.override_with_value(1)], on_error=lambda error, provider: None
    ) as container:
        assert container.read(value) == 1
        with pytest.raises(Exception, match="meddler"):
            container.read(meddler)
        assert container.read(value) == 1
        container.update_overrides([value.override_with_value(2)])
        assert container.read(value) == 2


def test_a_disposer_that_disposes_its_container_runs_once() -> None:
    told: list[str] = []

    observer = observer_with(
        did_dispose_provider=lambda context: told.append("provider"),
        did_dispose_provider_container=lambda context: told.append("container"),
    )
    provider = Provider(lambda ref: ref.on_dispose(container.dispose))
    container = ProviderContainer(observers=[observer])
    container.read(provider)
    container.dispose()
    assert told == ["provider", "container"]


@pytest.mark.parametrize("with_loop", [False, True])
def test_an_immediate_listener_in_a_batch_gets_each_change_once(with_loop: bool) -> None:
    def run() -> None:
        number = StateProvider(lambda ref: 0)
        heard: list[tuple[Any, Any]] = []
        with ProviderContainer() as container:
            container.read(number)
            with container.batch():
                container.read(number.notifier).state = 1
                container.listen(number, lambda *change: heard.append(change), fire_immediately=True)
            assert heard == [(None, 1)]

    async def main() -> None:
        run()

    asyncio.run(main()) if with_loop else run()


# -- cache_for -----------------------------------------------------------------------------------


@pytest.mark.parametrize("user", ["a listener", "a watcher", "a second listener"])
async def test_a_cache_time_starts_when_the_last_listener_is_removed(
    user: str, container: ProviderContainer, clock: Clock
) -> None:
    cached = cached_for(10)
    watcher = Provider.auto_dispose(lambda ref: ref.watch(cached))
    subscription = container.listen(watcher if user == "a watcher" else cached, ignore)
    subscription.pause()
    await clock.advance(100)
    if user == "a second listener":
        container.listen(cached, ignore).close()
    else:
        subscription.resume()
    subscription.close()
    await container.pump()
    await clock.advance(9)
    await container.pump()
    assert container.exists(cached)
    await clock.advance(2)
    await container.pump()
    assert not container.exists(cached)


# -- what was suspected --------------------------------------------------------------------------


def test_disposal_interrupted_by_the_end_of_the_loop_is_completed() -> None:
    log: list[str] = []

    async def write() -> None:
        await asyncio.sleep(0)
        log.append("written")

    container = ProviderContainer()
    provider = Provider(lambda ref: ref.on_dispose(write))

    async def main() -> None:
        container.read(provider)
        container.invalidate(provider)

    asyncio.run(main())
    assert log in (["written"], []), "the loop may end before its first step"
    container.dispose()


def test_a_garbage_collected_subscription_does_not_settle_providers_inside_a_build() -> None:
    subject: Subject[int] = Subject()
    disposed: list[str] = []
    inside = [False]

    @StreamProvider.auto_dispose
    def feed(ref: Ref) -> Any:
        ref.on_dispose(lambda: disposed.append("inside" if inside[0] else "outside"))
        return subject

    class Cycle:
        def __init__(self, loan: Any) -> None:
            self.loan = loan
            self.me = self

    @Provider
    def collecting(ref: Ref) -> int:
        inside[0] = True
        gc.collect()
        inside[0] = False
        return 1

    gc.disable()
    try:
        with ProviderContainer() as container:
            Cycle(container.read(feed.future))
            assert container.read(collecting) == 1
            assert disposed == ["outside"]
            assert not container.exists(feed)
    finally:
        gc.enable()


async def test_a_paused_observable_delivers_its_error_on_resume(
    container: ProviderContainer, reported: list[BaseException]
) -> None:
    subject: Subject[int] = Subject()
    feed = StreamProvider(lambda ref: subject)
    subscription = container.listen(feed, ignore)
    subject.on_next(1)
    subscription.pause()
    subject.on_next(2)
    subject.on_error(OSError("no"))
    subscription.resume()
    assert isinstance(container.read(feed).error, OSError)
    assert [type(error) for error in reported] == [OSError]
    reported.clear()


async def test_an_error_in_a_selector_affects_only_that_value(
    container: ProviderContainer, reported: list[BaseException]
) -> None:
    number = StateProvider(lambda ref: 1)

    @FutureProvider
    async def whole(ref: Ref) -> int:
        return ref.watch(number)

    def select(value: int) -> int:
        if value == 2:
            raise ValueError("two")
        return value * 10

    user = FutureProvider(lambda ref: ref.watch(whole.select_async(select)))
    with container.listen(user, ignore):
        assert await container.read(user.future) == 10
        container.read(number.notifier).state = 2
        with pytest.raises(ValueError, match="two"):
            await asyncio.wait_for(container.read(user.future), 5)
        container.read(number.notifier).state = 3
        assert await asyncio.wait_for(container.read(user.future), 5) == 30
    reported.clear()


async def test_children_that_close_at_the_same_time_as_their_parent_are_disposed_completely() -> None:
    log: list[str] = []

    async def slowly() -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        log.append("child")

    scoped = Provider.options(dependencies=[])(lambda ref: ref.on_dispose(slowly))
    parent = ProviderContainer()
    child = ProviderContainer(parent=parent, overrides=[scoped])
    child.read(scoped)
    closing = asyncio.create_task(child.aclose())
    await asyncio.sleep(0)
    await parent.aclose()
    assert log == ["child"]
    await closing


def test_a_call_for_a_loop_that_is_closing_raises_no_error_in_its_thread() -> None:
    container = ProviderContainer()
    loops: list[asyncio.AbstractEventLoop] = []

    async def main() -> None:
        container.exists(Provider(lambda ref: 1))
        loops.append(asyncio.get_running_loop())

    asyncio.run(main())
    assert loops[0].is_closed()
    ran: list[int] = []
    thread = threading.Thread(target=lambda: container.call_soon_threadsafe(lambda: ran.append(1)))
    thread.start()
    thread.join()
    container.exists(Provider(lambda ref: 1))
    assert ran == [1]
    container.dispose()
