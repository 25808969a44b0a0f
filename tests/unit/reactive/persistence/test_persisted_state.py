"""Synchronous state is stored when it is set and restored at the next start; persistence knows types."""

import asyncio
import dataclasses
from datetime import date
from typing import Generic, TypedDict, TypeVar

import attrs
import msgspec
import pytest

from tetherpy import (
    AsyncNotifier,
    AsyncNotifierProvider,
    DuplicatePersistKeyError,
    FutureProvider,
    InMemoryStorage,
    JsonError,
    NewerDataError,
    Notifier,
    NotifierProvider,
    Provider,
    ProviderContainer,
    ReactiveArgumentError,
    SqliteStorage,
    StateProvider,
    StorageOptions,
)
from tetherpy.reactive import PersistedData


class SlowStorage(InMemoryStorage):
    """A storage that answers when the test says, and fails where the test says."""

    def __init__(self):
        super().__init__()
        self.answers = asyncio.Event()
        self.fails = set()

    async def read(self, key):
        await self.answers.wait()
        if "read" in self.fails:
            raise OSError("read")
        return await super().read(key)

    async def write(self, key, data, options):
        if "write" in self.fails:
            raise OSError("write")
        await super().write(key, data, options)


@pytest.fixture
def storage():
    return InMemoryStorage()


def theme_in(storage, **options):
    return StateProvider.persisted("theme", "light", storage=storage, **options)


async def start(provider, *errors, edit=None):
    """Start an app, wait for the stored state, edit it, and end; return the states before and after the edit."""
    reported = []
    container = ProviderContainer(on_error=lambda error, provider: reported.append(error))
    controller = container.read(provider.notifier)
    async with asyncio.timeout(25):
        await controller.restored()
    restored = container.read(provider)
    if edit is not None:
        controller.state = edit
    try:
        await container.aclose()
    except ExceptionGroup as group:
        reported.extend(group.exceptions)
    assert [type(error) for error in reported] == list(errors)
    return restored


async def test_a_state_is_restored_and_the_first_value_is_not_stored(storage):
    assert await start(theme_in(storage)) == "light"
    assert storage.kept == {}
    assert await start(theme_in(storage), edit="dark") == "light"
    assert storage.kept == {"theme": PersistedData('"dark"')}
    assert await start(theme_in(storage)) == "dark"


async def test_an_edit_before_the_load_wins():
    storage = SlowStorage()
    storage.kept["theme"] = PersistedData('"dark"')
    provider = theme_in(storage)
    async with ProviderContainer() as container:
        container.read(provider.notifier).state = "light"  # equal to the first value, and an edit
        storage.answers.set()
        await container.read(provider.notifier).restored()
        assert container.read(provider) == "light"
    assert storage.kept["theme"].data == '"light"'


async def test_an_edit_is_stored_although_the_app_ends_before_the_load(storage):
    async with ProviderContainer() as container:
        container.read(theme_in(storage).notifier).state = "dark"
    assert await start(theme_in(storage)) == "dark"


@pytest.mark.parametrize("bytes_", ['{"a', "5", "null", ""])
async def test_data_that_does_not_decode_is_reported_and_replaced_by_the_next_edit(storage, bytes_):
    storage.kept["theme"] = PersistedData(bytes_)
    assert await start(theme_in(storage), JsonError) == "light"
    assert storage.kept["theme"].data == bytes_
    assert await start(theme_in(storage), JsonError, edit="dark") == "light"
    assert await start(theme_in(storage)) == "dark"


async def test_newer_data_is_reported_once_and_never_replaced(storage):
    storage.kept["theme"] = PersistedData('{"name": "dark"}', version=2)
    assert await start(theme_in(storage, version=1), NewerDataError, edit="blue") == "light"
    container = ProviderContainer()
    container.read(theme_in(storage, version=1).notifier).state = "edited before the load"
    with pytest.raises(ExceptionGroup, match="1 error"):
        await container.aclose()
    assert storage.kept["theme"] == PersistedData('{"name": "dark"}', version=2)


async def test_older_data_is_migrated_and_stored_in_the_new_form_by_the_next_edit(storage):
    seen = []

    def migrate(data, version):
        seen.append((data, version))
        return {"name": data}

    storage.kept["theme"] = PersistedData('"dark"')
    provider = StateProvider.persisted("theme", {"name": ""}, storage=storage, version=3, migrate=migrate)
    assert await start(provider, edit={"name": "blue"}) == {"name": "dark"}
    assert seen == [("dark", 0)]
    assert storage.kept["theme"] == PersistedData('{"name":"blue"}', version=3)
    assert await start(provider) == {"name": "blue"}
    assert len(seen) == 1


async def test_the_storage_may_be_that_of_a_provider(storage):
    async def opened(ref):
        return storage

    opening = FutureProvider(opened)
    for source in (storage, Provider(lambda ref: storage), opening, opening.future):
        storage.kept["theme"] = PersistedData('"dark"')
        assert await start(theme_in(source), edit="blue") == "dark"
        assert storage.kept["theme"] == PersistedData('"blue"')


async def test_a_migration_that_raises_is_reported_and_its_data_is_kept(storage):
    storage.kept["theme"] = PersistedData('"dark"')
    provider = theme_in(storage, version=1, migrate=lambda data, version: data["name"])
    assert await start(provider, TypeError, edit="blue") == "light"
    assert storage.kept["theme"] == PersistedData('"dark"')


async def test_a_storage_that_fails_is_reported_and_the_state_works():
    storage = SlowStorage()
    storage.answers.set()
    storage.fails = {"read"}
    assert await start(theme_in(storage), OSError) == "light"
    storage.fails = {"write"}
    await start(theme_in(storage), OSError, edit="dark")
    storage.fails = set()
    await start(theme_in(storage), edit="dark")
    assert await start(theme_in(storage)) == "dark"


async def test_two_containers_share_a_storage_and_the_last_edit_stays(storage):
    provider = theme_in(storage)
    async with ProviderContainer() as first, ProviderContainer() as second:
        first.read(provider.notifier).state = "dark"
        second.read(provider.notifier).state = "blue"
    assert await start(provider) in {"dark", "blue"}


async def test_a_second_provider_with_the_same_key_is_reported(storage):
    reported = []
    async with ProviderContainer(on_error=lambda error, provider: reported.append(error)) as container:
        container.read(theme_in(storage))
        container.read(theme_in(storage))
    assert [type(error) for error in reported] == [DuplicatePersistKeyError]


def test_without_an_event_loop_the_stored_state_is_read_in_the_next_one(storage):
    storage.kept["theme"] = PersistedData('"dark"')
    provider = theme_in(storage)
    container = ProviderContainer()
    assert container.read(provider) == "light"

    async def later():
        await container.read(provider.notifier).restored()
        assert container.read(provider) == "dark"
        container.read(provider.notifier).state = "blue"
        await container.aclose()

    asyncio.run(later())
    assert storage.kept["theme"].data == '"blue"'


async def test_the_storage_of_a_provider_keeps_versions_in_sqlite(tmp_path):
    @FutureProvider
    async def storage_provider(ref):
        return await ref.enter_async(SqliteStorage.open(tmp_path / "app.db"))

    def theme(version):
        return theme_in(storage_provider.future, version=version)

    assert await start(theme(1), edit="dark") == "light"
    assert await start(theme(1)) == "dark"
    assert await start(theme(0), NewerDataError, edit="blue") == "light"
    assert await start(theme(1)) == "dark"


@attrs.frozen
class Attrs:
    day: date
    names: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Data:
    inner: Attrs


class Struct(msgspec.Struct):
    data: dict[int, Data]


class Typed(TypedDict):
    day: date


DAY = Attrs(date(2026, 1, 2), ("a",))


@pytest.mark.parametrize(
    "state", [DAY, Data(DAY), Struct({1: Data(DAY)}), {1, 2}, (1, "a"), DAY.day, 1, 1.5, None, [1], {"a": 1}]
)
async def test_the_type_of_a_state_is_that_of_its_first_value(storage, state):
    provider = StateProvider.persisted("state", state, storage=storage)
    await start(provider, edit=state)
    restored = await start(provider)
    assert (restored, type(restored)) == (state, type(state))


T = TypeVar("T")


class Kept(Notifier[T], Generic[T]):
    storage = InMemoryStorage()

    def build(self):
        self.restoring = self.persist(self.storage, key=type(self).__name__)
        return self.first()


class Days(Kept[list[Attrs]]):
    def first(self):
        return []


class ForwardDays(Kept["list[Attrs]"]):
    first = Days.first


class TypedDays(Kept[dict[str, Typed]]):
    def first(self):
        return {}


@pytest.mark.parametrize(
    ("kind", "state"), [(Days, [DAY]), (ForwardDays, [DAY]), (TypedDays, {"a": Typed(day=DAY.day)})]
)
async def test_the_type_of_a_notifier_is_that_of_its_generic_base(kind, state):
    provider = NotifierProvider(kind)
    async with ProviderContainer() as container:
        container.read(provider.notifier).state = state
    async with ProviderContainer() as container:
        await container.read(provider.notifier).restoring
        assert container.read(provider) == state


async def test_an_asynchronous_notifier_knows_its_type_too(storage):
    class Loaded(AsyncNotifier[list[Attrs]]):
        async def build(self):
            await self.persist(storage, key="days", version=1)
            self.seen = self.state.value
            return [DAY]

    provider = AsyncNotifierProvider(Loaded)
    for seen in (None, [DAY]):
        async with ProviderContainer() as container:
            await container.read(provider.future)
            assert container.read(provider.notifier).seen == seen
    storage.kept["days"] = PersistedData("newer", version=2)
    async with ProviderContainer(on_error=lambda error, provider: None) as container:
        assert await container.read(provider.future) == [DAY]
    assert storage.kept["days"] == PersistedData("newer", version=2)


class Opaque:
    pass


async def test_a_type_without_a_form_in_json_is_refused(container, storage, reported):
    with pytest.raises(Exception, match="theme") as refused:
        container.read(StateProvider.persisted("theme", Opaque(), storage=storage))
    assert isinstance(refused.value.__cause__, ReactiveArgumentError)
    reported.clear()


@pytest.mark.parametrize(
    ("plain", "state"),
    [([1, "a", None, {"b": [2.5]}], [DAY]), ([], [(1, 2)]), ({"a": [1]}, {1: "a"}), ({}, {"a": {"b": {3}}})],
)
async def test_a_state_that_would_be_read_as_other_values_is_not_stored(storage, plain, state):
    """The items of a collection have no type; without an error the next start would have dicts instead of objects."""
    provider = StateProvider.persisted("draft", type(state)(), storage=storage)
    await start(provider, edit=plain)
    await start(provider, ReactiveArgumentError, edit=state)
    assert await start(provider) == plain


async def test_only_confirmed_changes_of_a_notifier_are_stored():
    days = NotifierProvider(Days)
    Days.storage.kept.clear()
    async with ProviderContainer() as container:
        notifier = container.read(days.notifier)
        with pytest.raises(ZeroDivisionError):
            async with notifier.optimistic(lambda days: [*days, DAY]):
                raise ZeroDivisionError
    assert Days.storage.kept == {}
    async with ProviderContainer() as container, container.read(days.notifier).optimistic(lambda days: [*days, DAY]):
        pass
    assert Days.storage.kept["Days"].data == '[{"day":"2026-01-02","names":["a"]}]'


async def test_a_rebuild_restores_the_last_edit(storage):
    provider = theme_in(storage)
    async with ProviderContainer() as container:
        container.listen(provider, lambda previous, value: None)
        container.read(provider.notifier).state = "dark"
        container.invalidate(provider)
        await container.pump()
        await container.read(provider.notifier).restored()
        assert container.read(provider) == "dark"


async def test_a_time_to_keep_is_only_used_when_it_is_given(storage):
    await start(theme_in(storage), edit="dark")
    assert storage.kept["theme"].expires_at is None
    await start(theme_in(storage, options=StorageOptions(cache_time=60)), edit="dark")
    assert storage.kept["theme"].expires_at is not None
