"""Offline persistence: stored data is shown during loading."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.waiting import until
from tetherpy import AsyncData, AsyncError, AsyncNotifier, AsyncNotifierProvider, ProviderContainer
from tetherpy.database import Database
from tetherpy.reactive import InMemoryStorage, StorageOptions
from tetherpy.service import SqliteStorage

START = datetime.now(UTC)


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["memory", "sqlite"])
async def storage(request, clock, tmp_path):
    if request.param == "memory":
        yield InMemoryStorage(clock=clock)
    else:
        async with Database.open(tmp_path / "app.db") as db:
            yield SqliteStorage(db, clock=clock)


def todos_kept_in(storage, fetched, *, key="todos", options=None, wait=True):
    class Todos(AsyncNotifier[list[str]]):
        async def build(self):
            restored = self.persist(storage, key=key, options=options or StorageOptions())
            if wait:
                await restored
                self.seen = self.state
            return await fetched()

        def add(self, todo):
            self.state = AsyncData([*self.state.require_value, todo])

        def fail(self):
            self.state = AsyncError(ConnectionError("gone"))

    return AsyncNotifierProvider(Todos, name=key)


async def fetch():
    return ["milk"]


async def kept(storage, key="todos"):
    found = await storage.read(key)
    return None if found is None else found.data


async def test_stored_data_is_shown_at_the_next_start_and_marked_as_from_cache(storage):
    provider = todos_kept_in(storage, fetch)
    async with ProviderContainer() as container:
        assert await container.read(provider.future) == ["milk"]
        container.read(provider.notifier).add("bread")
    assert await kept(storage) == '["milk","bread"]'

    gate = asyncio.Event()

    async def slowly():
        await gate.wait()
        return ["tea"]

    again = todos_kept_in(storage, slowly)
    async with ProviderContainer() as container:
        shown = []
        container.listen(again, lambda previous, state: shown.append(state), fire_immediately=True)
        pending = container.read(again.future)
        await until(lambda: shown[-1].has_value)
        assert shown[-1].value == ["milk", "bread"]
        assert shown[-1].is_loading
        assert shown[-1].is_from_cache
        gate.set()
        assert await pending == ["tea"]
        assert not container.read(again).is_from_cache
        assert container.read(again.notifier).seen.value == ["milk", "bread"]
    assert await kept(storage) == '["tea"]'


async def test_an_error_keeps_the_last_data(storage):
    provider = todos_kept_in(storage, fetch)
    async with ProviderContainer() as container:
        await container.read(provider.future)
        container.read(provider.notifier).add("bread")
        container.read(provider.notifier).fail()
    assert await kept(storage) == '["milk","bread"]'


async def test_an_app_that_starts_without_a_network_shows_the_last_data_each_time(storage):
    async with ProviderContainer() as container:
        await container.read(todos_kept_in(storage, fetch).future)

    async def offline():
        raise ConnectionError("offline")

    for wait in (True, True, False):
        provider = todos_kept_in(storage, offline, wait=wait)
        async with ProviderContainer(on_error=lambda error, provider: None) as container:
            container.listen(provider, lambda previous, state: None)
            async with asyncio.timeout(25):
                while not (container.read(provider).has_error and container.read(provider).has_value):
                    await asyncio.sleep(0)
            state = container.read(provider)
            assert (type(state), state.value, state.is_from_cache) == (AsyncError, ["milk"], True)
        assert await kept(storage) == '["milk"]'


@pytest.mark.parametrize("change", ["time", "destroy key"])
async def test_expired_or_invalid_data_is_not_shown_and_is_deleted(storage, clock, change):
    async with ProviderContainer() as container:
        await container.read(todos_kept_in(storage, fetch).future)
    options = StorageOptions()
    if change == "time":
        clock.now = START - timedelta(days=10)
        await storage.write("todos", '["old"]', StorageOptions(cache_time=timedelta(days=1)))
    else:
        options = StorageOptions(destroy_key="v2")

    never = asyncio.Event()
    provider = todos_kept_in(storage, never.wait, options=options)
    async with ProviderContainer() as container:
        notifier = container.read(provider.notifier)
        await until(lambda: hasattr(notifier, "seen"))
        assert not notifier.seen.has_value
        assert await kept(storage) is None


async def test_delete_out_of_date_keeps_current_data(storage, clock):
    await storage.write("short", "1", StorageOptions(cache_time=timedelta(hours=1)))
    await storage.write("long", "2", StorageOptions(cache_time=timedelta(days=9)))
    await storage.write("ever", "3", StorageOptions(cache_time=None))
    clock.now = START + timedelta(hours=2)
    await storage.delete_out_of_date()
    assert [await kept(storage, key) for key in ("short", "long", "ever")] == [None, "2", "3"]
    await storage.delete("nothing")


async def test_a_state_set_during_the_restore_has_priority(storage):
    await storage.write("todos", '["old"]', StorageOptions())
    provider = todos_kept_in(storage, fetch, wait=False)
    async with ProviderContainer() as container:
        assert await container.read(provider.future) == ["milk"]
        await container.pump()
        assert container.read(provider) == AsyncData(["milk"])
    assert await kept(storage) == '["milk"]'


async def test_data_that_cannot_be_decoded_is_reported_and_replaced(storage):
    await storage.write("todos", "{not json", StorageOptions())
    reported = []
    container = ProviderContainer(on_error=lambda error, provider: reported.append(type(error).__name__))
    assert await container.read(todos_kept_in(storage, fetch).future) == ["milk"]
    assert reported == ["JsonError"]
    await container.aclose()
    assert await kept(storage) == '["milk"]'
