"""Optimistic updates are shown at once, stay over newer data, and are undone by an error."""

import asyncio
import gc

import pytest

from tests.support.waiting import turns, until
from tetherpy import (
    AsyncData,
    AsyncNotifier,
    AsyncNotifierProvider,
    ChangeDuringBuildError,
    InMemoryStorage,
    Notifier,
    NotifierProvider,
    Provider,
    StateProvider,
    StreamNotifier,
    StreamNotifierProvider,
)


class ServerError(Exception):
    pass


def adding(item):
    return lambda items: items if item in items else (*items, item)


class Items(Notifier[tuple[str, ...]]):
    def build(self):
        return self.ref.watch(server_provider)


class LoadedItems(AsyncNotifier[tuple[str, ...]]):
    async def build(self):
        return self.ref.watch(server_provider)


class StreamedItems(StreamNotifier[tuple[str, ...]]):
    async def build(self):
        yield self.ref.watch(server_provider)


server_provider = StateProvider(lambda ref: ("a",), name="server")
items_provider = NotifierProvider(Items)
loaded_provider = AsyncNotifierProvider(LoadedItems)
streamed_provider = StreamNotifierProvider(StreamedItems)
PROVIDERS = [items_provider, loaded_provider, streamed_provider]


class Call:
    """An update whose block waits for the test."""

    def __init__(self, notifier, change):
        self.answer = asyncio.get_running_loop().create_future()
        self.task = asyncio.ensure_future(self._run(notifier, change))

    async def _run(self, notifier, change):
        async with notifier.optimistic(change):
            await self.answer

    async def succeed(self):
        self.answer.set_result(None)
        await self.task

    async def fail(self):
        self.answer.set_exception(ServerError())
        with pytest.raises(ServerError):
            await self.task


@pytest.fixture(params=PROVIDERS, ids=lambda provider: provider.name)
async def world(request, container):
    world = World(container, request.param)
    await world.settled()
    yield world
    world.subscription.close()


class World:
    def __init__(self, container, provider):
        self.container, self.provider = container, provider
        self.seen = []
        self.subscription = container.listen(provider, lambda _, state: self.seen.append(self.data(state)))

    @property
    def notifier(self):
        return self.container.read(self.provider.notifier)

    def data(self, state):
        return state if self.provider is items_provider else state.value

    @property
    def shown(self):
        return self.data(self.container.read(self.provider))

    @property
    def confirmed(self):
        return self.data(self.notifier.confirmed)

    async def settled(self):
        if self.provider is not items_provider:
            await self.container.read(self.provider.future)
        await self.container.pump()
        self.seen.clear()

    async def call(self, change):
        call = Call(self.notifier, change)
        await asyncio.sleep(0)
        return call

    async def serve(self, *items):
        self.container.read(server_provider.notifier).state = items
        await self.container.pump()
        if self.provider is not items_provider:
            await self.container.read(self.provider.future)


async def test_success_keeps_the_change_with_one_notification(world):
    call = await world.call(adding("b"))
    assert (world.shown, world.confirmed) == (("a", "b"), ("a",))
    await call.succeed()
    assert (world.shown, world.confirmed) == (("a", "b"), ("a", "b"))
    assert world.seen == [("a", "b")]
    assert world.notifier.pending_changes is None


async def test_an_error_undoes_the_change_and_is_raised(world):
    call = await world.call(adding("b"))
    await call.fail()
    assert world.shown == ("a",)
    assert world.seen == [("a", "b"), ("a",)]


async def test_cancellation_undoes_the_change(world):
    call = await world.call(adding("b"))
    call.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call.task
    assert world.shown == ("a",)


async def test_a_change_stays_over_newer_data_until_it_fails(world):
    call = await world.call(adding("b"))
    await world.serve("a", "c")
    assert (world.shown, world.confirmed) == (("a", "c", "b"), ("a", "c"))
    await call.fail()
    assert world.shown == ("a", "c")


async def test_newer_data_replaces_a_confirmed_change(world):
    first, second = await world.call(adding("b")), await world.call(adding("c"))
    await second.succeed()
    assert world.shown == ("a", "b", "c")
    await world.serve("a", "c", "d")
    assert world.shown == ("a", "c", "d", "b")
    await first.fail()
    assert world.shown == ("a", "c", "d")


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2)])
async def test_changes_that_end_in_any_order_keep_their_places(world, order):
    calls = [await world.call(adding(item)) for item in "bcd"]
    for index in order:
        await calls[index].succeed()
        assert world.shown == ("a", "b", "c", "d")
    assert world.seen == [("a", "b"), ("a", "b", "c"), ("a", "b", "c", "d")]


async def test_a_failed_change_leaves_the_others(world):
    first, second = await world.call(adding("b")), await world.call(adding("c"))
    await first.fail()
    assert (world.shown, world.confirmed) == (("a", "c"), ("a",))
    await second.succeed()
    assert world.confirmed == ("a", "c")


async def test_the_answer_of_the_server_replaces_the_change(world):
    async with world.notifier.optimistic(adding("?")) as update:
        assert world.shown == ("a", "?")
        update.replace(adding("b17"))
        assert world.shown == ("a", "b17")
    assert world.shown == ("a", "b17")
    assert world.seen == [("a", "?"), ("a", "b17")]


async def test_a_change_that_cannot_be_applied_is_raised_before_the_block(world):
    with pytest.raises(ZeroDivisionError):
        async with world.notifier.optimistic(lambda items: 1 / 0):
            raise AssertionError("the block ran")
    with pytest.raises(ZeroDivisionError):
        async with world.notifier.optimistic(adding("b")) as update:
            update.replace(lambda items: 1 / 0)
    assert world.shown == ("a",)
    assert world.notifier.pending_changes is None


async def test_a_change_that_does_not_fit_newer_data_is_reported_once_and_left_out(world, reported):
    call = await world.call(lambda items: items[:-1] if items[-1] == "a" else 1 / 0)
    await world.serve("z")
    assert world.shown == ("z",)
    await world.serve("y")
    assert world.shown == ("y",)
    assert [type(error) for error in reported] == [ZeroDivisionError]
    reported.clear()
    await call.succeed()
    assert world.shown == ("y",)


async def test_a_block_may_outlive_its_provider(world):
    call = await world.call(adding("b"))
    world.container.invalidate(world.provider)
    world.container.dispose()
    await call.succeed()


async def test_a_dropped_block_is_undone(world):
    async def forever():
        async with world.notifier.optimistic(adding("b")):
            await asyncio.get_running_loop().create_future()

    coroutine = forever()
    coroutine.send(None)
    assert world.shown == ("a", "b")
    del coroutine
    gc.collect()
    await asyncio.sleep(0)
    assert world.shown == ("a",)


async def test_a_part_that_does_not_change_is_not_notified(world):
    lengths = []
    part = world.provider.select(lambda state: len(world.data(state) or ()))
    with world.container.listen(part, lambda _, length: lengths.append(length)):
        call = await world.call(lambda items: ("A", *items[1:]))
        await call.succeed()
        await world.container.pump()
    assert lengths == []


async def test_a_change_during_another_build_is_refused_and_leaves_nothing(container, reported):
    notifier = container.read(items_provider.notifier)

    @Provider
    def broken(ref):
        notifier.optimistic(adding("b")).__aenter__().send(None)

    with pytest.raises(Exception, match="broken") as refused:
        container.read(broken)
    assert isinstance(refused.value.__cause__, ChangeDuringBuildError)
    assert (container.read(items_provider), notifier.pending_changes) == (("a",), None)
    reported.clear()


async def test_a_refused_state_is_not_confirmed(world, reported):
    call = await world.call(adding("b"))

    @Provider
    def broken(ref):
        world.notifier.state = AsyncData(("refused",)) if world.provider is not items_provider else ("refused",)

    with pytest.raises(Exception, match="broken") as refused:
        world.container.read(broken)
    assert isinstance(refused.value.__cause__, ChangeDuringBuildError)
    assert (world.shown, world.confirmed) == (("a", "b"), ("a",))
    await call.succeed()
    assert (world.shown, world.confirmed) == (("a", "b"), ("a", "b"))
    reported.clear()


async def test_a_state_stays_if_a_listener_is_interrupted(container):
    class Counter(Notifier[int]):
        def build(self):
            return 0

    def interrupted(_, count):
        if count == 11:
            raise KeyboardInterrupt

    provider = NotifierProvider(Counter)
    container.listen(provider, interrupted)
    counter = container.read(provider.notifier)
    async with counter.optimistic(lambda count: count + 10):
        with pytest.raises(KeyboardInterrupt):
            counter.state = 1
    assert container.read(provider) == 11


async def test_a_computed_state_uses_the_confirmed_one(container):
    class Counter(Notifier[int]):
        def build(self):
            return 0

    provider = NotifierProvider(Counter)
    counter = container.read(provider.notifier)
    async with counter.optimistic(lambda count: count + 10):
        counter.state = counter.confirmed + 1
        assert container.read(provider) == 11
    assert container.read(provider) == 11


async def test_update_uses_the_confirmed_data(container):
    await container.read(loaded_provider.future)
    notifier = container.read(loaded_provider.notifier)
    call = Call(notifier, adding("b"))
    await asyncio.sleep(0)
    assert await notifier.update(lambda items: (*items, "c")) == ("a", "c")
    assert container.read(loaded_provider).value == ("a", "c", "b")
    assert await container.read(loaded_provider.future) == ("a", "c", "b")
    await call.fail()
    assert container.read(loaded_provider).value == ("a", "c")
    assert await container.read(loaded_provider.future) == ("a", "c")


async def test_a_change_waits_for_the_first_data(container):
    notifier = container.read(loaded_provider.notifier)
    async with notifier.optimistic(adding("b")):
        assert not container.read(loaded_provider).has_value
        assert await container.read(loaded_provider.future) == ("a", "b")
    assert container.read(loaded_provider) == AsyncData(("a", "b"))


async def test_only_confirmed_changes_are_persisted(container):
    storage = InMemoryStorage()

    class Kept(AsyncNotifier[list[str]]):
        async def build(self):
            await self.persist(storage, key="kept")
            return ["a"]

    provider = AsyncNotifierProvider(Kept)
    await container.read(provider.future)
    call = Call(container.read(provider.notifier), lambda items: [*items, "b"])
    await until(lambda: "kept" in storage.kept)
    await turns(20)
    assert storage.kept["kept"].data == '["a"]'
    await call.succeed()
    await until(lambda: storage.kept["kept"].data == '["a","b"]')
