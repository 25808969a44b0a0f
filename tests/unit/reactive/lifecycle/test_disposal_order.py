"""Builds that end at the end of a loop, in another loop, in a disposer or during a cancellation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.unit.reactive.builders import notifier_of
from tests.unit.reactive.eager import eager_tasks
from tests.unit.reactive.recording import observer_with, values_of
from tetherpy.reactive import AsyncData, FutureProvider, Provider, ProviderContainer, Ref, StateProvider, StreamProvider
from tetherpy.reactive.errors import EndlessUpdateError, NoEventLoopError, ProviderError

BOUND = 5.0


class Stop(BaseException):
    """A BaseException like KeyboardInterrupt."""


# -- loops ----------------------------------------------------------------------------------------


def test_a_disposal_that_the_end_of_the_loop_interrupts_is_completed() -> None:
    log: list[str] = []
    number = StateProvider(lambda ref: 0)

    def build(ref: Ref) -> int:
        async def end() -> None:
            log.append("asynchronous")

        ref.on_dispose(end)
        ref.on_dispose(lambda: log.append("synchronous"))
        return ref.watch(number)

    doubled = Provider(build)

    async def fetch(ref: Ref) -> int:
        return ref.watch(doubled)

    fetched = FutureProvider(fetch)
    container = ProviderContainer()

    async def write_last() -> None:
        container.listen(fetched, lambda *_: None)
        await container.read(fetched.future)
        container.read(number.notifier).state = 1  # the turn comes after the last step of this coroutine

    async def read_again() -> None:
        assert await asyncio.wait_for(container.read(fetched.future), BOUND) == 1
        await asyncio.wait_for(container.aclose(), BOUND)

    asyncio.run(write_last())
    assert log == ["asynchronous", "synchronous"]
    asyncio.run(read_again())


@pytest.mark.parametrize("enters", [True, False])
def test_a_disposal_that_started_in_a_stopped_loop_does_not_block_builds_in_another(enters: bool) -> None:
    @asynccontextmanager
    async def manager() -> AsyncIterator[None]:
        yield

    async def fetch(ref: Ref) -> int:
        async def end() -> None:
            await asyncio.sleep(60)

        if enters:
            await ref.enter_async(manager())
        else:
            ref.on_dispose(end)
        return 1

    fetched = FutureProvider(fetch)
    container = ProviderContainer()
    first, second = asyncio.new_event_loop(), asyncio.new_event_loop()

    async def read() -> int:
        return await asyncio.wait_for(container.read(fetched.future), BOUND)

    async def invalidate() -> None:
        container.invalidate(fetched)
        await asyncio.sleep(0)

    try:
        first.run_until_complete(read())
        if not enters:
            first.run_until_complete(invalidate())
        else:
            second.run_until_complete(invalidate())
        assert second.run_until_complete(read()) == 1
    finally:
        for loop in (first, second):
            tasks = asyncio.all_tasks(loop)
            for task in tasks:
                task.cancel()
            if tasks:
                loop.run_until_complete(asyncio.wait(tasks))
            loop.close()


def test_errors_of_work_without_a_loop_are_reported_once_by_its_container() -> None:
    def build(ref: Ref) -> int:
        async def end() -> None: ...

        ref.on_dispose(end)
        return 1

    provider = Provider(build, dependencies=[])
    root = ProviderContainer()
    child = ProviderContainer(parent=root, overrides=[provider.override_with(build)])
    child.read(provider)
    with pytest.raises(NoEventLoopError):
        child.dispose()
    root.dispose()


async def test_a_build_in_an_eager_task_exits_its_context_managers() -> None:
    log: list[str] = []

    @asynccontextmanager
    async def manager() -> AsyncIterator[None]:
        yield
        log.append("left")

    async def fetch(ref: Ref) -> int:
        await ref.enter_async(manager())
        return 1

    eager_tasks(asyncio.get_running_loop())
    fetched = FutureProvider(fetch)
    container = ProviderContainer()
    assert await asyncio.wait_for(container.read(fetched.future), BOUND) == 1
    await asyncio.wait_for(container.aclose(), BOUND)
    assert log == ["left"]


# -- disposers that wait --------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["user first", "user last"])
async def test_a_disposer_may_await_a_new_build_of_a_dependency(order: str) -> None:
    log: list[object] = []

    async def connect(ref: Ref) -> int:
        async def end() -> None:
            await asyncio.sleep(0)

        ref.on_dispose(end)
        return 1

    connected = FutureProvider(connect)

    async def use(ref: Ref) -> int:
        await ref.watch(connected.future)
        container = ref.container

        async def end() -> None:
            await asyncio.sleep(0.01)
            if not container.disposed:
                log.append(await container.read(connected.future))

        ref.on_dispose(end)
        return 2

    user = FutureProvider(use)
    container = ProviderContainer()
    await container.read(user.future)
    for provider in (user, connected) if order == "user first" else (connected, user):
        container.invalidate(provider)
    assert await asyncio.wait_for(container.read(user.future), BOUND) == 2
    assert log == [1]
    await asyncio.wait_for(container.aclose(), BOUND)


async def test_a_disposer_may_close_its_container() -> None:
    log: list[str] = []

    def end_source(ref: Ref) -> int:
        async def end() -> None:
            log.append("source")

        ref.on_dispose(end)
        return 1

    source = Provider(end_source)

    def build(ref: Ref) -> int:
        container = ref.container

        async def end() -> None:
            await container.aclose()
            log.append("user")

        ref.on_dispose(end)
        return ref.watch(source)

    user = Provider(build)
    container = ProviderContainer()
    container.read(user)
    container.invalidate(user)
    await asyncio.wait_for(container.aclose(), BOUND)
    assert log == ["user", "source"]


# -- errors ---------------------------------------------------------------------------------------


async def test_errors_collected_by_a_cancelled_aclose_are_reported() -> None:
    errors: list[BaseException] = []

    def fail(ref: Ref) -> int:
        ref.on_dispose(lambda: 1 // 0)
        return 1

    def wait(ref: Ref) -> int:
        ref.on_dispose(lambda: asyncio.sleep(BOUND))
        return 1

    container = ProviderContainer(on_error=lambda error, _: errors.append(error))
    container.read(Provider(fail))
    container.read(Provider(wait))
    closing = asyncio.ensure_future(container.aclose())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert [type(error) for error in errors] == [ZeroDivisionError]


async def test_a_callback_that_raises_CancelledError_cancels_nothing() -> None:
    errors: list[BaseException] = []
    number = StateProvider(lambda ref: 0)
    cancelled = asyncio.get_running_loop().create_future()
    cancelled.cancel()
    container = ProviderContainer(on_error=lambda error, _: errors.append(error))
    container.listen(number, lambda *_: cancelled.result())
    container.read(number.notifier).state = 1
    assert [type(error) for error in errors] == [asyncio.CancelledError]


@pytest.mark.parametrize("kind", ["future", "stream"])
def test_an_interrupt_in_a_listener_is_not_an_error_of_an_asynchronous_provider(kind: str) -> None:
    async def fetch(ref: Ref) -> int:
        await asyncio.sleep(0)
        return 5

    async def pull(ref: Ref) -> AsyncIterator[int]:
        yield 5

    def stop(*_: object) -> None:
        raise Stop

    raised: list[object] = []
    provider: Any = FutureProvider(fetch) if kind == "future" else StreamProvider(pull)

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: raised.append(context["exception"]))
        container = ProviderContainer()
        container.listen(provider, stop)
        for _ in range(10):
            await asyncio.sleep(0)
        assert container.read(provider) == AsyncData(5)
        await container.aclose()

    asyncio.run(main())
    assert [type(error) for error in raised] == [Stop]


def test_a_container_disposed_by_a_listener_reports_errors_and_calls_observers() -> None:
    errors: list[BaseException] = []
    events: list[str] = []

    observer = observer_with(did_dispose_provider_container=lambda context: events.append("container"))

    def fail(ref: Ref) -> int:
        ref.on_dispose(lambda: 1 // 0)
        return 1

    number = StateProvider(lambda ref: 0)
    container = ProviderContainer(observers=[observer], on_error=lambda error, _: errors.append(error))
    container.read(Provider(fail))
    container.listen(number, lambda *_: container.dispose())
    container.read(number.notifier).state = 1
    assert [type(error) for error in errors] == [ZeroDivisionError]
    assert events == ["container"]


async def test_an_endless_listener_does_not_block_notifications_of_others() -> None:
    number = StateProvider(lambda ref: 0)
    other = StateProvider(lambda ref: 0)
    doubled = Provider(lambda ref: ref.watch(other) * 2)
    container = ProviderContainer()
    heard = values_of(container, doubled)
    controller = container.read(number.notifier)

    def count(_: int | None, value: int) -> None:
        container.read(other.notifier).state = 7
        controller.state = value + 1

    container.listen(number, count)
    with pytest.raises(EndlessUpdateError):
        controller.state = 1
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert heard == [14]


# -- what an inactive build listens to ------------------------------------------------------------


@pytest.mark.parametrize("how", ["unchanged", "failed", "late"])
def test_dependencies_of_a_build_without_active_listeners_are_paused_however_it_ended(how: str) -> None:
    heard: list[int] = []
    number = StateProvider(lambda ref: 0)
    trigger = StateProvider(lambda ref: 0)

    def listen(ref: Ref) -> None:
        ref.listen(number, lambda _, value: heard.append(value))

    def build(ref: Ref) -> int:
        ref.on_dispose(lambda: None)
        ref.watch(trigger)
        if how != "late":
            listen(ref)
        if how == "failed":
            raise ValueError
        return 0

    listening = notifier_of(build)
    container = ProviderContainer(on_error=lambda *_: None)

    def read() -> None:
        try:
            container.read(listening)
        except ProviderError:
            assert how == "failed"

    read()
    container.read(trigger.notifier).state = 1
    read()
    if how == "late":
        listen(container.read(listening.notifier).ref)
    container.read(number.notifier).state = 1
    assert heard == []
    with container.listen(listening, lambda *_: None):
        assert heard == [1]
