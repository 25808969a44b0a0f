"""Disposers run in order: dependents before dependencies, one build before the next of its provider."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

import attrs
import pytest

from tests.unit.reactive.declared import rebuild
from tests.unit.reactive.matrix import ignore, until
from tests.unit.reactive.recording import recording_disposal
from tetherpy.reactive import FutureProvider, Provider, ProviderContainer, Ref, StateProvider, StreamProvider


@attrs.define
class Resource:
    """Records when it is opened and closed, and refuses a second opening."""

    name: str
    log: list[str]
    is_open: bool = False

    async def __aenter__(self) -> Self:
        assert not self.is_open, f"{self.name} is busy"
        self.is_open = True
        self.log.append(f"{self.name} open")
        return self

    async def __aexit__(self, *error: object) -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        self.is_open = False
        self.log.append(f"{self.name} closed")


async def slowly(log: list[str], entry: str, uses: Resource | None = None) -> None:
    """Clean up over some turns of the loop, with a resource that must stay open until the end."""
    for _ in range(20):
        await asyncio.sleep(0)
    assert uses is None or uses.is_open, f"{entry}: {uses} was closed before"
    log.append(entry)


@pytest.mark.parametrize("use", ["watch", "read", "through one without hooks", "through a synchronous select"])
async def test_dependents_end_before_dependencies(use: str, container: ProviderContainer) -> None:
    log: list[str] = []
    resource = Resource("database", log)

    @FutureProvider
    async def database(ref: Ref) -> Resource:
        return await ref.enter_async(resource)

    between = FutureProvider(lambda ref: ref.watch(database.future))

    @FutureProvider
    async def user(ref: Ref) -> int:
        match use:
            case "watch":
                await ref.watch(database.future)
            case "read":
                await ref.read(database.future)
            case "through one without hooks":
                await ref.watch(between.future)
            case _:
                await ref.watch(database.select_async(lambda found: found.name))
        ref.on_dispose(lambda: slowly(log, "flushed", resource))
        return 1

    await container.read(user.future)
    await container.aclose()
    assert log == ["database open", "flushed", "database closed"]


async def test_a_synchronous_provider_waits_for_its_asynchronous_dependent(container: ProviderContainer) -> None:
    log: list[str] = []
    source = recording_disposal(log, "source", declare=Provider)

    @Provider
    def user(ref: Ref) -> int:
        ref.on_dispose(lambda: slowly(log, "user"))
        return ref.watch(source)

    container.read(user)
    await container.aclose()
    assert log == ["user", "source"]


async def test_disposers_of_a_build_run_one_after_another(container: ProviderContainer) -> None:
    log: list[str] = []

    @Provider
    def provider(ref: Ref) -> int:
        ref.on_dispose(lambda: slowly(log, "first"))
        ref.on_dispose(lambda: log.append("second"))
        ref.on_dispose(lambda: slowly(log, "third"))
        return 1

    container.read(provider)
    await container.aclose()
    assert log == ["first", "second", "third"]


async def test_children_end_before_their_parents() -> None:
    log: list[str] = []

    def declare(name: str, **options: Any) -> Any:
        def create(ref: Ref) -> str:
            ref.on_dispose(lambda: slowly(log, name))
            return name

        return Provider.options(name=name, **options)(create)

    root, middle, leaf = declare("root"), declare("middle", dependencies=[]), declare("leaf", dependencies=[])
    async with ProviderContainer() as parent:
        parent.read(root)
        child = ProviderContainer(parent=parent, overrides=[middle])
        child.read(middle)
        ProviderContainer(parent=child, overrides=[leaf]).read(leaf)
    assert log == ["leaf", "middle", "root"]


@pytest.mark.parametrize("by", ["a change", "invalidate", "refresh", "disposal and a new read"])
async def test_a_resource_is_closed_before_the_next_build_opens_it(by: str, container: ProviderContainer) -> None:
    log: list[str] = []
    port = StateProvider(lambda ref: 1)
    resource = Resource("port", log)

    @FutureProvider.options(auto_dispose=by == "disposal and a new read")
    async def device(ref: Ref) -> int:
        number = ref.watch(port)
        await ref.enter_async(resource)
        return number

    with container.listen(device, ignore):
        await container.read(device.future)
        if by != "disposal and a new read":
            rebuild(by, container, device, port)
            await container.read(device.future)
    if by == "disposal and a new read":
        await container.pump()
        assert not container.exists(device)
        await container.read(device.future)
    assert log == ["port open", "port closed", "port open"]


async def test_a_stream_ends_before_the_next_build_of_it_begins(container: ProviderContainer) -> None:
    log: list[str] = []
    resource = Resource("socket", log)

    @StreamProvider
    async def messages(ref: Ref) -> AsyncIterator[int]:
        async with resource:
            yield 1
            await asyncio.Event().wait()

    with container.listen(messages, ignore):
        await container.read(messages.future)
        container.invalidate(messages)
        assert await container.read(messages.future) == 1
    assert log == ["socket open", "socket closed", "socket open"]


async def test_a_rebuilt_source_ends_after_its_dependent(container: ProviderContainer) -> None:
    log: list[str] = []
    url = StateProvider(lambda ref: "a")
    made: list[Resource] = []

    @FutureProvider
    async def connection(ref: Ref) -> Resource:
        made.append(Resource(ref.watch(url), log))
        return await ref.enter_async(made[-1])

    @FutureProvider
    async def session(ref: Ref) -> str:
        used = await ref.watch(connection.future)
        ref.on_dispose(lambda: slowly(log, f"session of {used.name} ended"))
        return used.name

    with container.listen(session, ignore):
        assert await container.read(session.future) == "a"
        container.read(url.notifier).state = "b"
        assert await container.read(session.future) == "b"
    await container.aclose()
    assert log[-2:] == ["session of b ended", "b closed"]
    assert log.index("a closed") < log.index("b open")


async def test_unrelated_providers_end_concurrently(container: ProviderContainer) -> None:
    arrived: list[int] = []
    all_here = asyncio.Event()

    @Provider.family
    def member(ref: Ref, number: int) -> int:
        async def meet() -> None:
            arrived.append(number)
            if len(arrived) == 3:
                all_here.set()
            await asyncio.wait_for(all_here.wait(), 10)

        ref.on_dispose(meet)
        return number

    for number in range(3):
        container.read(member(number))
    await container.aclose()
    assert sorted(arrived) == [0, 1, 2]


async def test_an_error_in_a_disposer_does_not_block_others(container: ProviderContainer) -> None:
    log: list[str] = []

    @asynccontextmanager
    async def opened() -> AsyncIterator[None]:
        yield
        log.append("closed")

    @FutureProvider
    async def source(ref: Ref) -> int:
        await ref.enter_async(opened())
        return 1

    @FutureProvider
    async def user(ref: Ref) -> int:
        async def fail() -> None:
            await asyncio.sleep(0)
            raise OSError("no")

        ref.on_dispose(fail)
        ref.on_dispose(lambda: log.append("user"))
        return await ref.watch(source.future)

    await container.read(user.future)
    with pytest.raises(ExceptionGroup) as caught:
        await container.aclose()
    assert [type(error) for error in caught.value.exceptions] == [OSError]
    assert log == ["user", "closed"]


async def test_tasks_of_a_build_end_before_its_dependencies(container: ProviderContainer) -> None:
    log: list[str] = []
    resource = Resource("database", log)
    begun = asyncio.Event()

    @FutureProvider
    async def database(ref: Ref) -> Resource:
        return await ref.enter_async(resource)

    @FutureProvider
    async def user(ref: Ref) -> int:
        used = await ref.watch(database.future)

        async def work() -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                await slowly(log, "task ended", used)

        ref.create_task(work())
        return 1

    await container.read(user.future)
    await until(begun.is_set)
    await container.aclose()
    assert log == ["database open", "task ended", "database closed"]


async def test_providers_that_a_long_stream_no_longer_uses_are_released(container: ProviderContainer) -> None:
    price = Provider.auto_dispose.family(lambda ref, number: number)
    refs: list[Ref] = []

    @StreamProvider
    async def prices(ref: Ref) -> AsyncIterator[int]:
        refs.append(ref)
        for number in range(200):
            ref.read(price(number))
            await container.pump()
        yield 1

    with container.listen(prices, ignore):
        await container.read(prices.future)
        assert len(refs[0].reads or ()) < 10


@pytest.mark.parametrize("first", ["source", "user"])
async def test_a_build_may_await_a_dependency_in_its_finally(first: str, container: ProviderContainer) -> None:
    count = 0
    got: list[int] = []
    reached = asyncio.Event()

    @FutureProvider
    async def source(ref: Ref) -> int:
        nonlocal count
        ref.on_dispose(lambda: asyncio.sleep(0))
        count += 1
        return count

    @FutureProvider
    async def user(ref: Ref) -> int:
        await ref.watch(source.future)
        if got:
            return 0
        try:
            reached.set()
            return await asyncio.Event().wait()
        finally:
            got.append(await asyncio.wait_for(container.read(source.future), 5))

    container.listen(user, ignore)
    await reached.wait()
    for provider in (source, user) if first == "source" else (user, source):
        container.invalidate(provider)
    await until(lambda: bool(got))
    assert got == [2]
    assert await container.read(user.future) == 0
