"""Offline persistence stores the newest data despite errors, loop ends and late notifications."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import pytest

from tests.unit.reactive.eager import eager_tasks
from tests.unit.reactive.matrix import ignore, until
from tetherpy.reactive import (
    AsyncData,
    AsyncLoading,
    AsyncNotifier,
    AsyncNotifierProvider,
    InMemoryStorage,
    PersistedData,
    ProviderContainer,
    StateProvider,
    StorageOptions,
)
from tetherpy.reactive.errors import ReactiveArgumentError


class Slow(InMemoryStorage[str, Any]):
    """A storage whose calls wait for ``gate``, and whose writes of data in ``fails`` raise an error."""

    def __init__(self, data: Any = None, *, fails: tuple[Any, ...] = ()) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()
        self.fails = list(fails)
        self.began: list[Any] = []
        if data is not None:
            self.kept["key"] = PersistedData(data)

    async def read(self, key: str) -> PersistedData[Any] | None:
        self.began.append("read")
        await self.gate.wait()
        return await super().read(key)

    async def write(self, key: str, data: Any, options: StorageOptions) -> None:
        self.began.append(data)
        await self.gate.wait()
        if data in self.fails:
            raise OSError(f"cannot write {data}")
        await super().write(key, data, options)

    async def delete(self, key: str) -> None:
        self.began.append("delete")
        await self.gate.wait()
        await super().delete(key)

    @property
    def data(self) -> Any:
        return self.kept["key"].data if "key" in self.kept else None


def same(value: Any) -> Any:
    return value


def declare(storage: Any, build: Callable[[Any], Awaitable[Any]], **declared: Any) -> Any:
    class Persists(AsyncNotifier[Any]):
        async def build(self) -> Any:
            opened = storage() if callable(storage) else storage
            await self.persist(opened, key="key", encode=same, decode=same)
            return await build(self)

    return AsyncNotifierProvider.options(**declared)(Persists)


async def zero(notifier: Any) -> int:
    return 0


def set_to(container: ProviderContainer, provider: Any, value: Any) -> None:
    container.read(provider.notifier).state = AsyncData(value)


def stored_by_hand() -> tuple[Slow, Any, ProviderContainer]:
    """Return a storage, a provider whose state it stores, and a container that the test closes."""
    storage = Slow()
    return storage, declare(storage, zero), ProviderContainer()


def listened(container: ProviderContainer, **options: Any) -> tuple[Slow, Any]:
    """Return a storage with options, and a provider whose state it stores and to which the container listens."""
    storage = Slow(**options)
    provider = declare(storage, zero)
    container.listen(provider, ignore)
    return storage, provider


async def store_first_state(container: ProviderContainer, provider: Any, storage: Slow) -> None:
    container.listen(provider, ignore)
    await container.read(provider.future)
    await until(lambda: storage.data == 0)


async def test_a_failed_write_keeps_newer_pending_data(
    container: ProviderContainer, reported: list[BaseException]
) -> None:
    storage, provider = listened(container, fails=(0,))
    await until(lambda: "read" in storage.began)
    storage.gate.clear()
    await container.read(provider.future)
    await until(lambda: 0 in storage.began)
    set_to(container, provider, 1)
    storage.gate.set()
    await until(lambda: storage.data == 1)
    assert [str(error) for error in reported] == ["cannot write 0"]
    reported.clear()


async def test_a_failed_write_is_repeated_once_at_the_end(
    container: ProviderContainer, reported: list[BaseException]
) -> None:
    storage, provider = listened(container, fails=(0,))
    await container.read(provider.future)
    await until(lambda: bool(reported))
    reported.clear()
    storage.fails.clear()
    await container.aclose()
    assert storage.data == 0


async def test_a_state_set_by_a_listener_is_stored_last() -> None:
    storage = Slow()
    cart = declare(storage, zero)
    user = StateProvider(lambda ref: None, name="user")
    async with ProviderContainer() as container:
        container.listen(cart, ignore)
        await container.read(cart.future)
        container.listen(user, lambda previous, value: set_to(container, cart, "book and gift"))
        with container.batch():
            container.read(user.notifier).state = "ann"
            set_to(container, cart, "book")
        assert container.read(cart).value == "book and gift"
    assert storage.data == "book and gift"


async def test_data_set_right_before_the_end_is_stored_before_its_notification() -> None:
    storage = Slow()
    provider = declare(storage, zero, auto_dispose=True)
    async with ProviderContainer() as container:
        subscription = container.listen(provider, ignore)
        await container.read(provider.future)
        with container.batch():
            set_to(container, provider, 1)
            container.invalidate(provider)
            subscription.close()
    assert storage.data == 1


def test_data_set_without_a_loop_is_stored_in_the_next_loop() -> None:
    storage, provider, container = stored_by_hand()

    async def use() -> None:
        assert container.read(provider).value == 2
        container.exists(provider)
        await until(lambda: storage.data == 2)
        set_to(container, provider, 3)
        await until(lambda: storage.data == 3)

    asyncio.run(store_first_state(container, provider, storage))
    set_to(container, provider, 1)
    set_to(container, provider, 2)
    assert storage.data == 0
    asyncio.run(use())
    set_to(container, provider, 4)
    asyncio.run(container.aclose())
    assert storage.data == 4


def test_a_write_interrupted_by_the_end_of_its_loop_is_repeated_in_the_next() -> None:
    storage, provider, container = stored_by_hand()

    async def leave_in_the_middle_of_a_write() -> None:
        await store_first_state(container, provider, storage)
        storage.gate.clear()
        set_to(container, provider, 1)
        await until(lambda: 1 in storage.began)

    asyncio.run(leave_in_the_middle_of_a_write())
    storage.gate = asyncio.Event()
    storage.gate.set()
    asyncio.run(container.aclose())
    assert storage.data == 1


@pytest.mark.parametrize("interrupt", ["a dependency changes", "it is invalidated"])
async def test_an_interrupted_first_build_still_shows_stored_data(container: ProviderContainer, interrupt: str) -> None:
    storage = Slow("kept")
    storage.gate.clear()
    shown = StateProvider(lambda ref: "all", name="shown")
    fresh = asyncio.Event()

    async def build(notifier: Any) -> str:
        await fresh.wait()
        return "fresh"

    class Persists(AsyncNotifier[Any]):
        async def build(self) -> Any:
            self.ref.watch(shown)
            await self.persist(storage, key="key", encode=same, decode=same)
            return await build(self)

    provider = AsyncNotifierProvider(Persists)
    seen: list[Any] = []
    container.listen(provider, lambda previous, state: seen.append(state), fire_immediately=True)
    await until(lambda: storage.began == ["read"])
    if interrupt == "it is invalidated":
        container.invalidate(provider)
    else:
        container.read(shown.notifier).state = "open"
    await until(lambda: storage.began == ["read", "read"])
    storage.gate.set()
    await until(lambda: seen[-1].has_value)
    assert (seen[-1].value, seen[-1].is_from_cache, seen[-1].is_loading) == ("kept", True, True)
    fresh.set()
    assert await container.read(provider.future) == "fresh"


async def test_a_provider_that_is_rebuilt_reads_its_pending_write(container: ProviderContainer) -> None:
    storage = Slow()

    async def build(notifier: Any) -> Any:
        return notifier.state.value or "fresh"

    provider = declare(storage, build, auto_dispose=True)
    subscription = container.listen(provider, ignore)
    await container.read(provider.future)
    await until(lambda: storage.data == "fresh")
    storage.gate.clear()
    set_to(container, provider, "last edit")
    subscription.close()
    await container.pump()
    assert not container.exists(provider)
    container.listen(provider, ignore)
    await container.pump()
    storage.gate.set()
    assert await container.read(provider.future) == "last edit"


async def test_deleting_invalid_data_keeps_newer_data(container: ProviderContainer) -> None:
    storage = Slow()
    storage.kept["key"] = PersistedData("void", destroy_key="another")
    storage.gate.clear()

    class Quick(AsyncNotifier[Any]):
        def build(self) -> Any:
            self.persist(storage, key="key", encode=same, decode=same)
            return self.first

        first: Any = asyncio.get_running_loop().create_future()

    provider = AsyncNotifierProvider(Quick)
    container.listen(provider, ignore)
    await until(lambda: storage.began == ["read"])
    storage.gate.set()
    storage.gate = asyncio.Event()
    await until(lambda: storage.began == ["read", "delete"])
    set_to(container, provider, "new")
    await container.pump()
    assert storage.began == ["read", "delete"], "one after the other"
    storage.gate.set()
    await until(lambda: storage.data == "new")


async def test_a_storage_given_as_a_coroutine_is_awaited_once(reported: list[BaseException]) -> None:
    storage, opened = Slow("kept"), asyncio.Event()
    openings: list[str] = []

    async def open_storage() -> Slow:
        openings.append("opened")
        await opened.wait()
        return storage

    class Quick(AsyncNotifier[Any]):
        def build(self) -> Any:
            self.persist(open_storage(), key="key", encode=same, decode=same)
            return "built"

    provider = AsyncNotifierProvider(Quick)
    async with ProviderContainer(on_error=lambda error, provider: reported.append(error)) as container:
        container.listen(provider, ignore)
        await until(lambda: openings == ["opened"])
        set_to(container, provider, "set")
        opened.set()
        await until(lambda: storage.data == "set")
        container.invalidate(provider)
        await until(lambda: len(openings) == 2 and storage.data == "built")
    assert reported == []


async def test_a_storage_that_is_still_opening_is_abandoned_at_the_end() -> None:
    ended: list[str] = []

    async def open_storage() -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("ended")

    provider = declare(open_storage, zero)
    async with ProviderContainer() as container:
        container.listen(provider, ignore)
        for _ in range(5):
            await asyncio.sleep(0)
    assert ended == ["ended"]


async def test_a_storage_that_is_never_used_leaves_no_unawaited_coroutine(container: ProviderContainer) -> None:
    storage = Slow("kept")

    async def open_storage() -> Slow:
        return storage

    never = asyncio.Event()
    provider = declare(open_storage, lambda notifier: never.wait())
    container.listen(provider, ignore)
    await until(lambda: container.read(provider).has_value)
    container.invalidate(provider)
    await container.pump()
    await container.aclose()  # an unawaited coroutine is a warning, which fails the test


def test_restoring_works_with_eager_tasks(reported: list[BaseException]) -> None:
    storage = InMemoryStorage[str, Any]()
    storage.kept["key"] = PersistedData("kept")
    seen: list[Any] = []

    async def build(notifier: Any) -> Any:
        seen.append((notifier.state.value, notifier.state.is_from_cache))
        return "fresh"

    provider = declare(storage, build)

    async def main() -> None:
        eager_tasks(asyncio.get_running_loop())
        async with ProviderContainer(on_error=lambda error, provider: reported.append(error)) as container:
            container.listen(provider, ignore)
            assert await container.read(provider.future) == "fresh"
            set_to(container, provider, "newest")

    asyncio.run(main())
    assert seen == [("kept", True)]
    assert storage.kept["key"].data == "newest"
    assert reported == []


@attrs.frozen
class Counted:
    """A key that counts its comparisons."""

    number: int = attrs.field(eq=False)
    compared: list[int] = attrs.field(eq=False)

    def __eq__(self, other: object) -> bool:
        self.compared.append(self.number)
        return isinstance(other, Counted) and other.number == self.number

    def __hash__(self) -> int:
        return hash(self.number)


async def test_the_cost_of_a_key_does_not_grow_with_the_number_of_keys(container: ProviderContainer) -> None:
    storage, compared = InMemoryStorage[Any, Any](), list[int]()

    class Row(AsyncNotifier[int]):
        def __init__(self, number: int) -> None:
            self.number = number

        def build(self) -> int:
            self.persist(storage, key=Counted(self.number, compared))
            return self.number

    rows = AsyncNotifierProvider.family(Row)
    for number in range(400):
        container.read(rows(number))
    await until(lambda: len(storage.kept) == 400)
    assert len(compared) < 10 * 400


async def test_an_unhashable_key_is_an_error_that_explains_it(
    container: ProviderContainer, reported: list[BaseException]
) -> None:
    class Persists(AsyncNotifier[int]):
        async def build(self) -> int:
            await self.persist(InMemoryStorage[Any, Any](), key=["todos", 1])
            return 0

    provider = AsyncNotifierProvider(Persists)
    with pytest.raises(ReactiveArgumentError, match=r"key.*\['todos', 1\].*hashable"):
        await container.read(provider.future)
    reported.clear()


async def test_data_set_before_the_call_of_persist_is_stored() -> None:
    storage, ready, never = Slow(), asyncio.Event(), asyncio.Event()

    class Persists(AsyncNotifier[Any]):
        async def build(self) -> Any:
            await ready.wait()
            await self.persist(storage, key="key", encode=same, decode=same)
            return await never.wait()

    provider = AsyncNotifierProvider(Persists)
    async with ProviderContainer() as container:
        container.listen(provider, ignore)
        await container.pump()
        set_to(container, provider, 1)
        container.read(provider.notifier).state = AsyncLoading()
        ready.set()
        await until(lambda: storage.data == 1)
