"""Listeners, builds and context managers run in their own context and task."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import Context, ContextVar
from typing import Any

import pytest

from tests.unit.reactive.builders import async_provider_of
from tests.unit.reactive.declared import double, number
from tests.unit.reactive.matrix import ignore, until
from tetherpy.reactive import FutureProvider, Provider, ProviderContainer, Ref

request: ContextVar[str] = ContextVar("request", default="none")

# -- context variables ---------------------------------------------------------------------------


async def _in_request(name: str, fn: Callable[[], Any]) -> Any:
    async def call() -> Any:
        request.set(name)
        return fn()

    return await asyncio.create_task(call())


@pytest.mark.parametrize("provider", [number, double, double.select(lambda value: value)], ids=str)
async def test_a_listener_runs_in_the_context_of_its_registration(provider: Any, container: ProviderContainer) -> None:
    heard: list[str] = []

    def hear(previous: Any, value: Any) -> None:
        heard.append(request.get())

    for name in ("A", "B"):
        await _in_request(name, lambda: container.listen(provider, hear))
    await _in_request("C", lambda: setattr(container.read(number.notifier), "state", 1))
    await container.pump()
    assert heard == ["A", "B"]


async def test_a_rebuild_runs_in_the_context_of_a_listener(container: ProviderContainer) -> None:
    seen: list[str] = []
    provider = Provider(lambda ref: (seen.append(request.get()), ref.watch(number)))
    await _in_request("A", lambda: container.listen(provider, ignore))
    await _in_request("B", lambda: setattr(container.read(number.notifier), "state", 1))
    await container.pump()
    assert seen == ["A", "A"]


async def test_an_asynchronous_rebuild_runs_in_the_context_of_a_listener(container: ProviderContainer) -> None:
    seen: list[str] = []

    @FutureProvider
    async def provider(ref: Ref) -> int:
        seen.append(request.get())
        value = ref.watch(number)
        await asyncio.sleep(0)
        seen.append(request.get())
        return value

    await _in_request("A", lambda: container.listen(provider, ignore))
    await container.read(provider.future)
    await _in_request("B", lambda: setattr(container.read(number.notifier), "state", 1))
    await until(lambda: container.read(provider).value == 1)
    assert seen == ["A"] * 4


async def test_variables_that_a_listener_sets_stay_in_its_context(container: ProviderContainer) -> None:
    seen: list[str] = []

    def hear(previous: Any, value: Any) -> None:
        seen.append(request.get())
        request.set("changed by a listener")

    container.listen(number, hear)
    container.listen(number, lambda previous, value: seen.append(request.get()))
    container.read(number.notifier).state = 1
    assert seen == ["none", "none"]
    assert request.get() == "none"


@pytest.mark.parametrize("derived", [False, True], ids=["a state", "providers of it"])
def test_listeners_registered_in_an_empty_context_share_no_variables(derived: bool) -> None:
    seen: list[str] = []

    def see() -> None:
        seen.append(request.get())
        request.set("changed by another")

    def build(ref: Ref) -> int:
        if ref.watch(number):
            see()
        return 0

    def run() -> None:
        with ProviderContainer() as container:
            for _ in range(3):
                if derived:
                    container.listen(Provider(build), ignore)
                else:
                    container.listen(number, lambda previous, value: see())
            container.read(number.notifier).state = 1
        assert request.get() == "none"

    Context().run(run)
    assert seen == ["none"] * 3


# -- cancel scopes -------------------------------------------------------------------------------


@asynccontextmanager
async def group() -> AsyncIterator[str]:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(asyncio.sleep(0))
        yield "group"


@asynccontextmanager
async def limited() -> AsyncIterator[str]:
    async with asyncio.timeout(100):
        yield "limited"


@asynccontextmanager
async def same_task() -> AsyncIterator[str]:
    entered = asyncio.current_task()
    yield "same task"
    assert asyncio.current_task() is entered


MANAGERS = {"TaskGroup": group, "timeout": limited, "a manager that looks": same_task}
KINDS = ("future", "notifier", "stream")


def declare(kind: str, *managers: Callable[[], Any]) -> Any:
    async def enter(ref: Any) -> list[str]:
        ref.watch(number)
        return [await ref.enter_async(manager()) for manager in managers]

    return async_provider_of(kind, enter)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("end", ["close", "a change", "invalidate"])
@pytest.mark.parametrize("what", [*MANAGERS, "all of them"])
async def test_a_context_manager_exits_in_the_task_that_entered_it(
    what: str, end: str, kind: str, container: ProviderContainer
) -> None:
    managers = list(MANAGERS.values()) if what == "all of them" else [MANAGERS[what]]
    provider = declare(kind, *managers)
    with container.listen(provider, ignore):
        assert len(await container.read(provider.future)) == len(managers)
        if end == "a change":
            container.read(number.notifier).state += 1
        elif end == "invalidate":
            container.invalidate(provider)
        assert len(await asyncio.wait_for(container.read(provider.future), 5)) == len(managers)
    await container.aclose()


async def test_a_failed_build_exits_its_cancel_scope(
    container: ProviderContainer, reported: list[BaseException]
) -> None:
    @FutureProvider
    async def provider(ref: Ref) -> None:
        await ref.enter_async(group())
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        await container.read(provider.future)
    assert [type(error) for error in reported] == [ExceptionGroup, OSError], "the group contains the error"
    reported.clear()


@pytest.mark.parametrize("other", ["weak", "paused", "none", "waiting only"])
async def test_a_rebuild_runs_in_the_context_of_an_active_listener(other: str, container: ProviderContainer) -> None:
    seen: list[str] = []
    released = asyncio.Event()

    @FutureProvider
    async def provider(ref: Ref) -> int:
        seen.append(request.get())
        if (value := ref.watch(number)) == 0:
            await released.wait()
        return value

    if other == "weak":
        await _in_request("weak", lambda: container.listen(provider, ignore, weak=True))
    if other == "paused":
        (await _in_request("paused", lambda: container.listen(provider, ignore))).pause()
    if other == "waiting only":
        future = await _in_request("user", lambda: container.read(provider.future))
    else:
        await _in_request("user", lambda: container.listen(provider, ignore))
    await asyncio.sleep(0)
    seen.clear()
    await _in_request("changer", lambda: setattr(container.read(number.notifier), "state", 1))
    await until(lambda: bool(seen))
    assert seen == ["user"]
    if other == "waiting only":
        assert await future == 1


async def test_each_context_manager_of_a_build_exits_in_its_task(container: ProviderContainer) -> None:
    left: dict[str, bool] = {}

    @asynccontextmanager
    async def scope(name: str) -> AsyncIterator[None]:
        task = asyncio.current_task()
        yield
        left[name] = asyncio.current_task() is task

    @FutureProvider
    async def provider(ref: Ref) -> int:
        await ref.enter_async(scope("build"))
        await asyncio.create_task(ref.enter_async(scope("helper")))
        return 1

    container.listen(provider, ignore)
    await container.read(provider.future)
    await container.aclose()
    assert left == {"helper": False, "build": True}
