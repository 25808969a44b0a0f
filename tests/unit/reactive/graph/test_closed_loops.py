"""Builds and tasks of a closed event loop start over in the next loop that the container uses."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import attrs
import pytest

from tests.support.waiting import until
from tests.unit.reactive.builders import async_provider_of
from tests.unit.reactive.declared import double, number
from tests.unit.reactive.matrix import ignore
from tetherpy.reactive import FutureProvider, Provider, ProviderContainer, Ref, StateProvider
from tetherpy.reactive.errors import NoEventLoopError
from tetherpy.reactive.graph.invariants import check_graph


def run_and_close(main: Coroutine[Any, Any, object]) -> None:
    """Run a coroutine in a loop that is closed without the cancellations of ``asyncio.run``."""
    loop = asyncio.new_event_loop()
    loop.run_until_complete(main)
    loop.close()


@pytest.mark.parametrize("kind", ["future", "stream", "notifier", "context manager", "waits in finally"])
@pytest.mark.parametrize("is_listened_to", [False, True])
def test_a_build_cut_off_by_the_end_of_its_loop_runs_in_the_next(kind: str, is_listened_to: bool) -> None:
    reported: list[BaseException] = []
    container = ProviderContainer(on_error=lambda error, provider: reported.append(error))
    builds: list[int] = []
    ended: list[str] = []

    async def build() -> str:
        builds.append(1)
        if len(builds) > 1:
            return "built"
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("function")
            if kind == "waits in finally":
                await asyncio.sleep(0)
        return "never"

    async def enter_and_build(ref: Ref) -> str:
        if kind == "context manager":
            ref.enter(closing(SimpleNamespace(close=lambda: ended.append("context manager"))))
        return await build()

    provider = async_provider_of(kind if kind in ("stream", "notifier") else "future", enter_and_build)
    user = FutureProvider(lambda ref: ref.watch(provider.future))
    heard: list[Any] = []
    waiting: list[asyncio.Task[str]] = []

    async def wait() -> str:
        return await container.read(user.future)

    async def first() -> None:
        if is_listened_to:
            container.listen(provider, lambda previous, state: heard.append(state.value))
        waiting.append(asyncio.create_task(wait()))
        while not builds:
            await asyncio.sleep(0)

    async def second() -> None:
        container.exists(provider)
        if is_listened_to:
            async with asyncio.timeout(5):
                while "built" not in heard:
                    await asyncio.sleep(0)
        assert await asyncio.wait_for(wait(), 5) == "built"

    run_and_close(first())
    asyncio.run(second())
    assert ended == (["function", "context manager"] if kind == "context manager" else ["function"])
    assert [type(error) for error in reported] == ([NoEventLoopError] if kind == "waits in finally" else [])
    container.dispose()


def test_a_build_started_while_its_loop_closes_runs_in_the_next() -> None:
    """``asyncio.run`` cancels the tasks that exist at the end of ``main``, and no other."""
    builds: list[int] = []

    @FutureProvider.options(retry=lambda count, error: 0)
    async def future(ref: Ref) -> str:
        builds.append(1)
        if len(builds) == 1:
            raise OSError
        if len(builds) == 2:
            await asyncio.Event().wait()
        return "built"

    container = ProviderContainer(on_error=lambda error, provider: None)

    async def ends_late() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await until(lambda: len(builds) == 2)

    async def first() -> None:
        container.listen(future, ignore)
        late.append(asyncio.create_task(ends_late()))
        await asyncio.sleep(0)

    async def second() -> None:
        assert await asyncio.wait_for(container.read(future.future), 5) == "built"

    late: list[asyncio.Task[None]] = []
    asyncio.run(first())
    assert len(builds) == 2
    asyncio.run(second())
    container.dispose()


@attrs.define
class HangingOnce:
    """A provider whose first build never ends, and whose next builds return their number."""

    container: ProviderContainer
    builds: int = 0
    provider: FutureProvider[int] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.provider = FutureProvider(self._build)

    async def _build(self, ref: Ref) -> int:
        self.builds += 1
        if self.builds == 1:
            await asyncio.Event().wait()
        return self.builds

    async def begin(self) -> None:
        self.container.read(self.provider)
        await asyncio.sleep(0)

    async def result(self) -> int:
        return await asyncio.wait_for(self.container.read(self.provider.future), 5)


def test_a_loop_closed_after_the_next_has_started_loses_no_build() -> None:
    container = ProviderContainer()
    hanging = HangingOnce(container)
    loop, other = asyncio.new_event_loop(), asyncio.new_event_loop()
    loop.run_until_complete(hanging.begin())
    other.run_until_complete(hanging.begin())
    assert hanging.builds == 1, "the first loop may still run"
    loop.close()
    assert other.run_until_complete(hanging.result()) == 2
    other.close()
    container.dispose()


def test_a_loop_started_during_a_build_awaits_builds_of_a_closed_loop() -> None:
    container = ProviderContainer()
    hanging = HangingOnce(container)

    @Provider
    def enters_a_loop(ref: Ref) -> str:
        asyncio.run(hanging.begin())
        return "built"

    run_and_close(hanging.begin())
    assert container.read(enters_a_loop) == "built"
    assert asyncio.run(hanging.result()) == 2
    container.dispose()


@pytest.mark.parametrize("end", ["closed", "stopped"])
@pytest.mark.parametrize("how", ["dispose", "aclose", "invalidate"])
def test_tasks_of_a_build_in_a_stopped_loop_are_not_awaited(end: str, how: str) -> None:
    container = ProviderContainer()
    ended: list[str] = []

    @Provider
    def polls(ref: Ref) -> int:
        async def poll() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("task")

        ref.create_task(poll())
        ref.on_dispose(lambda: ended.append("disposer"))
        return 1

    async def first() -> None:
        container.read(polls)
        await asyncio.sleep(0)

    async def second() -> None:
        if how == "invalidate":
            container.invalidate(polls)
        await asyncio.wait_for(container.aclose(), 5)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(first())
    if end == "closed":
        loop.close()
    if how == "dispose":
        container.dispose()
    else:
        asyncio.run(second())
    if end == "closed":
        assert ended == ["task", "disposer"]
    loop.close()


def test_work_scheduled_in_a_closed_loop_runs_in_the_next() -> None:
    container = ProviderContainer()
    heard: list[int] = []

    async def first() -> None:
        container.listen(double, lambda previous, value: heard.append(value))

    async def second() -> None:
        container.exists(number)
        async with asyncio.timeout(5):
            while not heard:
                await asyncio.sleep(0)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(first())
    loop.call_soon(lambda: setattr(container.read(number.notifier), "state", 1))
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    assert not heard
    asyncio.run(second())
    assert heard == [2]
    container.dispose()


def test_an_outdated_build_cut_off_by_its_loop_keeps_no_source() -> None:
    """The build is outdated when it is cancelled: nothing else ends it."""
    ended: list[str] = []

    @StateProvider.auto_dispose
    def source(ref: Ref) -> int:
        ref.on_dispose(lambda: ended.append("source"))
        return 0

    @FutureProvider
    async def future(ref: Ref) -> int:
        ref.watch(source)
        await asyncio.Event().wait()
        return 1

    async def main() -> None:
        container.read(future)
        await asyncio.sleep(0)
        container.invalidate(future)
        container.read(future)
        await asyncio.sleep(0)
        container.read(source.notifier).state += 1

    container = ProviderContainer()
    asyncio.run(main())
    check_graph([container], ())
    container.dispose()
    assert ended == ["source"]
