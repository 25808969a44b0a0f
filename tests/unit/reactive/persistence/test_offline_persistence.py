"""Offline persistence: stored data, its use at the next start, and storage that misbehaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.unit.reactive.matrix import ignore, until
from tetherpy.reactive import (
    AsyncData,
    AsyncError,
    AsyncLoading,
    AsyncNotifier,
    AsyncNotifierProvider,
    InMemoryStorage,
    PersistedData,
    ProviderContainer,
    StorageOptions,
    StreamNotifier,
    StreamNotifierProvider,
)
from tetherpy.reactive.errors import DuplicatePersistKeyError

OPTIONS = StorageOptions(destroy_key="b")


class Kept:
    """A storage that records its calls, returns the data of the test, and fails where the test says."""

    def __init__(self, data: Any = None, **entry: Any) -> None:
        self.entry = None if data is None else PersistedData(data, **entry)
        self.log: list[Any] = []
        self.fails: set[str] = set()
        self.ready = asyncio.Event()
        self.ready.set()

    async def read(self, key: str) -> PersistedData[Any] | None:
        self._note("read", key)
        await self.ready.wait()
        return self.entry

    async def write(self, key: str, data: Any, options: StorageOptions) -> None:
        self._note("write", key, data, options)

    async def delete(self, key: str) -> None:
        self._note("delete", key)

    async def delete_out_of_date(self) -> None:
        self._note("delete_out_of_date")

    def _note(self, *entry: Any) -> None:
        self.log.append(entry)
        if entry[0] in self.fails:
            raise LookupError(entry[0])


def same(value: Any) -> Any:
    return value


KINDS = ["async", "stream"]
both = pytest.mark.parametrize("kind", KINDS)


def declare(
    kind: str, storage: Any, create: Any, key: str = "key", options: StorageOptions = OPTIONS, **declared: Any
) -> Any:
    """Declare a notifier that persists its state and builds ``create(notifier)`` (awaited if it is a coroutine)."""

    class Persists(AsyncNotifier[Any]):
        async def build(self) -> Any:
            await self.persist(storage, key=key, encode=same, decode=same, options=options)
            return await create(self)

    class PersistsStream(StreamNotifier[Any]):
        async def build(self) -> AsyncIterator[Any]:
            await self.persist(storage, key=key, encode=same, decode=same, options=options)
            yield await create(self)

    if kind == "async":
        return AsyncNotifierProvider.options(**declared)(Persists)
    return StreamNotifierProvider.options(**declared)(PersistsStream)


async def gives(value: Any) -> Any:
    return value


@both
async def test_stored_data_is_shown_during_loading(kind: str, container: ProviderContainer) -> None:
    storage = Kept(42, destroy_key="b")
    real: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    seen: list[Any] = []

    async def create(notifier: Any) -> int:
        seen.append(notifier.state)
        return await real

    provider = declare(kind, storage, create)
    container.listen(provider, ignore)
    await until(lambda: bool(seen))
    state = seen[0]
    assert (type(state), state.value, state.is_from_cache) == (AsyncLoading, 42, True)
    assert container.read(provider) == state
    pending = asyncio.ensure_future(_awaited(container.read(provider.future)))
    await asyncio.sleep(0)
    assert not pending.done(), "restored data does not settle the future"
    real.set_result(21)
    assert await pending == 21
    assert container.read(provider) == AsyncData(21)
    assert not container.read(provider).is_from_cache
    container.read(provider.notifier).state = AsyncData(22)
    assert not container.read(provider).is_from_cache


async def _awaited(future: Any) -> Any:
    return await future


@both
async def test_each_new_value_is_stored_and_an_error_changes_nothing(kind: str, container: ProviderContainer) -> None:
    storage = Kept()
    provider = declare(kind, storage, lambda notifier: gives(0))
    container.listen(provider, ignore)
    await container.read(provider.future)
    await until(lambda: len(storage.log) == 2)
    assert storage.log == [("read", "key"), ("write", "key", 0, OPTIONS)]

    notifier = container.read(provider.notifier)
    notifier.state = AsyncData(21)
    await until(lambda: len(storage.log) == 3)
    notifier.state = AsyncLoading()
    await asyncio.sleep(0)
    assert storage.log[2:] == [("write", "key", 21, OPTIONS)]
    notifier.state = AsyncError(OSError("no"))
    await container.pump()
    assert container.read(provider).value == 21
    assert len(storage.log) == 3


@both
async def test_restoring_stores_nothing(kind: str, container: ProviderContainer) -> None:
    storage = Kept(42, destroy_key="b")
    real: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    provider = declare(kind, storage, lambda notifier: _awaited(real))
    container.listen(provider, ignore)
    await until(lambda: container.read(provider).value == 42)
    assert storage.log == [("read", "key")]
    real.set_result(1)
    await until(lambda: len(storage.log) == 2)


@both
@pytest.mark.parametrize("why", ["destroy_key", "expired"])
async def test_invalid_data_is_deleted_and_not_shown(kind: str, why: str, container: ProviderContainer) -> None:
    past = datetime.now(UTC) - timedelta(seconds=5)
    storage = Kept(42, destroy_key="a") if why == "destroy_key" else Kept(42, destroy_key="b", expires_at=past)
    seen: list[Any] = []

    async def create(notifier: Any) -> int:
        seen.append(notifier.state)
        return 0

    provider = declare(kind, storage, create)
    assert await container.read(provider.future) == 0
    assert seen == [AsyncLoading()]
    assert ("delete", "key") in storage.log


@pytest.mark.parametrize("forever", [True, False])
async def test_the_cache_time_limits_the_age_of_data(forever: bool) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    storage: InMemoryStorage[str, Any] = InMemoryStorage(clock=lambda: now)
    options = StorageOptions(cache_time=None) if forever else StorageOptions(cache_time=timedelta(days=2))
    await storage.write("key", 42, options)
    kept = await storage.read("key")
    assert kept is not None
    assert kept.expires_at == (None if forever else now + timedelta(days=2))
    now += timedelta(days=3_650)
    await storage.delete_out_of_date()
    assert (await storage.read("key") is not None) is forever


async def test_in_memory_storage_keeps_data_until_it_is_deleted() -> None:
    storage: InMemoryStorage[str, str] = InMemoryStorage()
    assert await storage.read("unknown") is None
    await storage.delete("unknown")
    await storage.write("key", "value", StorageOptions())
    kept = await storage.read("key")
    assert kept is not None
    assert kept.data == "value"
    await storage.delete("key")
    assert await storage.read("key") is None


async def test_two_providers_with_one_key_are_reported(
    container: ProviderContainer, reported: list[BaseException]
) -> None:
    one, other = (declare("async", Kept(), lambda notifier: gives(0), key="mine") for _ in range(2))
    for provider in (one, other):
        container.listen(provider, ignore)
        await container.read(provider.future)
    (error,) = reported
    assert isinstance(error, DuplicatePersistKeyError)
    assert (error.key, error.providers) == ("mine", (one, other))
    reported.clear()


@both
async def test_an_error_in_a_storage_is_reported_and_changes_no_state(
    kind: str, container: ProviderContainer, reported: list[BaseException]
) -> None:
    storage = Kept()
    storage.fails = {"read", "write", "delete"}
    provider = declare(kind, storage, lambda notifier: gives(0))
    container.listen(provider, ignore)
    assert await container.read(provider.future) == 0
    await until(lambda: len(reported) == 2)
    container.read(provider.notifier).state = AsyncData(1)
    await until(lambda: len(reported) == 3)
    assert [str(error).strip("'") for error in reported] == ["read", "write", "write"]
    reported.clear()
    await container.aclose()
    assert storage.log[-1] == ("write", "key", 1, OPTIONS), "the last write is repeated once at the end"
    assert reported == [], "the error was reported already"


async def test_an_error_while_deleting_invalid_data_is_reported(
    container: ProviderContainer, reported: list[BaseException]
) -> None:
    storage = Kept(42, destroy_key="a")
    storage.fails = {"delete"}
    provider = declare("async", storage, lambda notifier: gives(0))
    assert await container.read(provider.future) == 0
    assert [str(error).strip("'") for error in reported] == ["delete"]
    reported.clear()


async def test_an_error_in_encoding_or_decoding_is_reported(
    container: ProviderContainer, reported: list[BaseException]
) -> None:
    class Unreadable(AsyncNotifier[object]):
        async def build(self) -> object:
            await self.persist(Kept("{no json"), key="key")
            return object()

    provider = AsyncNotifierProvider(Unreadable)
    container.listen(provider, ignore)
    await container.read(provider.future)
    await until(lambda: len(reported) == 2)
    assert [type(error).__name__ for error in reported] == ["JsonError", "JsonError"]
    reported.clear()


@both
async def test_a_rebuild_does_not_restore_again(kind: str, container: ProviderContainer) -> None:
    storage = Kept(42, destroy_key="b")
    provider = declare(kind, storage, lambda notifier: gives(notifier.state.value))
    container.listen(provider, ignore)
    assert await container.read(provider.future) == 42
    storage.entry = PersistedData(21, "b")
    container.invalidate(provider)
    assert await container.read(provider.future) == 42
    assert [entry for entry in storage.log if entry[0] == "read"] == [("read", "key")]


async def test_a_rebuild_during_the_restore_shows_the_stored_data(container: ProviderContainer) -> None:
    storage = Kept(42, destroy_key="b")
    storage.ready.clear()
    provider = declare("async", storage, lambda notifier: gives(notifier.state.value or 21))
    container.listen(provider, ignore)
    await until(lambda: bool(storage.log))
    container.invalidate(provider)
    container.read(provider)
    storage.ready.set()
    assert await container.read(provider.future) == 42


async def test_data_from_the_build_has_priority_over_restored_data(container: ProviderContainer) -> None:
    storage = Kept(42, destroy_key="b")
    storage.ready.clear()

    class Quick(AsyncNotifier[int]):
        def build(self) -> int:
            self.persist(storage, key="key", encode=same, decode=same, options=OPTIONS)
            return 0

    provider = AsyncNotifierProvider(Quick)
    told: list[Any] = []
    container.listen(provider, lambda previous, value: told.append(value), fire_immediately=True)
    await until(lambda: ("read", "key") in storage.log)
    storage.ready.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert told == [AsyncData(0)]


async def test_data_is_restored_again_after_disposal(container: ProviderContainer) -> None:
    storage = Kept(0, destroy_key="b")
    provider = declare("async", storage, lambda notifier: gives(notifier.state.value), auto_dispose=True)
    assert await container.read(provider.future) == 0
    await container.pump()
    assert not container.exists(provider)
    storage.entry = PersistedData(42, "b")
    assert await container.read(provider.future) == 42


@both
async def test_an_error_keeps_restored_data(
    kind: str, container: ProviderContainer, reported: list[BaseException]
) -> None:
    async def fails(notifier: Any) -> Any:
        raise OSError("no")

    provider = declare(kind, Kept(42, destroy_key="b"), fails)
    container.listen(provider, ignore)
    await until(lambda: container.read(provider).has_error)
    state = container.read(provider)
    assert (type(state), state.value, state.is_from_cache) == (AsyncError, 42, True)
    reported.clear()


async def test_providers_in_a_persisted_chain_are_built_once_each(container: ProviderContainer) -> None:
    builds: list[str] = []

    async def create_parent(notifier: Any) -> int:
        builds.append("parent")
        return 0

    parent = declare("async", Kept(42, destroy_key="b"), create_parent, key="parent")

    class Child(AsyncNotifier[int]):
        async def build(self) -> int:
            builds.append("child")
            value = await self.ref.watch(parent.future)
            await self.persist(Kept(21, destroy_key="b"), key="child", encode=same, decode=same, options=OPTIONS)
            return int(value) * 2

    child = AsyncNotifierProvider(Child)
    container.listen(child.future, ignore)
    assert await container.read(child.future) == 0
    assert sorted(builds) == ["child", "parent"]


async def test_a_storage_may_be_awaitable(container: ProviderContainer) -> None:
    storage = Kept(42, destroy_key="b")
    provider = declare("async", gives(storage), lambda notifier: gives(notifier.state.value))
    assert await container.read(provider.future) == 42


async def test_json_is_the_default_encoding() -> None:
    storage: InMemoryStorage[str, Any] = InMemoryStorage()

    class Todos(AsyncNotifier[list[str]]):
        async def build(self) -> list[str]:
            await self.persist(storage, key="todos")
            known = self.state.value
            return [*(known or []), "more"]

    provider = AsyncNotifierProvider(Todos)
    for expected in (["more"], ["more", "more"]):
        async with ProviderContainer() as fresh:
            fresh.listen(provider, ignore)
            assert await fresh.read(provider.future) == expected
    kept = await storage.read("todos")
    assert kept is not None
    assert kept.data == '["more","more"]'
