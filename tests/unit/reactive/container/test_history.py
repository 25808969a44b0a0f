"""Undo and redo of the state of a container."""

import asyncio
import gc
import weakref

import pytest

from tetherpy import (
    AsyncNotifier,
    AsyncNotifierProvider,
    ChangeDuringBuildError,
    ContainerDisposedError,
    FutureProvider,
    History,
    HistoryClosedError,
    HistoryStatus,
    InMemoryStorage,
    Notifier,
    NotifierProvider,
    NotUndoableError,
    Provider,
    ProviderContainer,
    ReactiveArgumentError,
    StateProvider,
    StorageOptions,
)


class Text(Notifier[str]):
    def build(self):
        return ""


class Page(Notifier[str]):
    def build(self):
        return f"page {self.ref.watch(number_provider) // 10}"


name_provider = StateProvider(lambda ref: "a", name="name")
number_provider = StateProvider(lambda ref: 0, name="number")
text_provider = NotifierProvider(Text)
page_provider = NotifierProvider(Page)
cell = StateProvider.auto_dispose.family(lambda ref, index: index)


@pytest.fixture
def container():
    """Yield a container; without an event loop every change is refreshed at once."""
    with ProviderContainer() as container:
        yield container


def put(container, provider, value):
    container.read(provider.notifier).state = value


def test_undo_and_redo_walk_through_the_states(container):
    history = History(container, [text_provider])
    for text in ("a", "ab", "abc"):
        put(container, text_provider, text)
    seen = []
    container.listen(text_provider, lambda _, text: seen.append(text))
    assert [history.undo() for _ in range(4)] == [True, True, True, False]
    assert [history.redo() for _ in range(4)] == [True, True, True, False]
    assert seen == ["ab", "a", "", "a", "ab", "abc"]


def test_a_new_edit_clears_redo(container):
    history = History(container, [name_provider])
    put(container, name_provider, "b")
    history.undo()
    put(container, name_provider, "c")
    assert (history.can_undo, history.can_redo) == (True, False)
    assert not history.redo()
    history.undo()
    assert container.read(name_provider) == "a"


def test_an_equal_state_is_no_step(container):
    history = History(container, [name_provider])
    put(container, name_provider, "".join(["a"]))
    assert not history.can_undo


def test_a_batch_is_one_step(container):
    history = History(container, [name_provider, number_provider])
    with container.batch():
        put(container, name_provider, "b")
        put(container, number_provider, 1)
        put(container, number_provider, 2)
        assert history.can_undo
    history.undo()
    assert (container.read(name_provider), container.read(number_provider)) == ("a", 0)
    assert not history.can_undo
    history.redo()
    assert (container.read(name_provider), container.read(number_provider)) == ("b", 2)


def test_changes_that_listeners_make_are_in_the_step(container):
    first, second = History(container, [name_provider, number_provider]), History(container, [name_provider])
    container.listen(name_provider, lambda _, name: put(container, number_provider, ord(name)))
    put(container, name_provider, "b")
    assert first.undo()
    assert (container.read(name_provider), first.can_undo) == ("a", False)
    assert second.can_undo


def test_undo_in_a_batch(container):
    history = History(container, [name_provider])
    with container.batch():
        put(container, name_provider, "b")
        history.undo()
        assert container.read(name_provider) == "a"
    assert (history.can_undo, history.can_redo) == (False, True)


def test_the_number_of_steps_is_bounded(container):
    history = History(container, [number_provider], limit=3)
    for number in range(1, 11):
        put(container, number_provider, number)
    assert [history.undo() for _ in range(4)] == [True, True, True, False]
    assert container.read(number_provider) == 7


def test_a_rebuild_removes_the_steps_of_its_provider(container):
    history = History(container, [page_provider, name_provider])
    put(container, page_provider, "edited")
    with container.batch():
        put(container, page_provider, "edited again")
        put(container, name_provider, "b")
    put(container, number_provider, 10)
    assert container.read(page_provider) == "page 1"
    assert history.undo()
    assert (container.read(page_provider), container.read(name_provider)) == ("page 1", "a")
    assert not history.undo()


@pytest.mark.parametrize("rebuild", ["dependency", "invalidate", "refresh"])
def test_an_edit_after_a_rebuild_with_an_equal_result_is_recorded(container, rebuild):
    history = History(container, [page_provider])
    if rebuild == "dependency":
        put(container, number_provider, 1)
    else:
        getattr(container, rebuild)(page_provider)
    put(container, page_provider, "edited")
    assert history.undo()
    assert container.read(page_provider) == "page 0"


def test_an_override_is_followed(container):
    with ProviderContainer(overrides=[name_provider.override_with_value("x")]) as container:
        history = History(container, [name_provider])
        put(container, name_provider, "y")
        assert history.undo()
        assert container.read(name_provider) == "x"
        put(container, name_provider, "y")
        container.update_overrides([name_provider.override_with_value("z")])
        assert container.read(name_provider) == "z"
        assert not history.undo()


def test_members_of_families_are_kept_alive_and_followed(container):
    with History(container, [cell(1), cell(2)]) as history:
        put(container, cell(1), "edited")
        put(container, cell(2), "edited too")
        history.undo()
        history.undo()
        assert (container.read(cell(1)), container.read(cell(2))) == (1, 2)
    assert not container.exists(cell(1))


@pytest.mark.parametrize(
    "provider",
    [
        Provider(lambda ref: 1),
        FutureProvider(lambda ref: 1),
        AsyncNotifierProvider(AsyncNotifier[int]),
        cell,
        name_provider.select(len),
        "name",
    ],
)
def test_what_has_no_state_to_set_is_refused(container, provider):
    with pytest.raises(NotUndoableError, match="StateProvider and NotifierProvider"):
        History(container, [provider])


@pytest.mark.parametrize("limit", [0, -1, True, 1.5, None])
def test_the_limit_is_checked(container, limit):
    with pytest.raises(ReactiveArgumentError, match="limit"):
        History(container, [name_provider], limit=limit)


def test_the_status_is_watched(container):
    history = History(container, [name_provider])
    seen = []
    container.listen(history.status, lambda _, status: seen.append(status), fire_immediately=True)
    put(container, name_provider, "b")
    put(container, name_provider, "c")
    history.undo()
    history.undo()
    history.clear()
    assert seen == [
        HistoryStatus(can_undo=False, can_redo=False),
        HistoryStatus(can_undo=True, can_redo=False),
        HistoryStatus(can_undo=True, can_redo=True),
        HistoryStatus(can_undo=False, can_redo=True),
        HistoryStatus(can_undo=False, can_redo=False),
    ]


def test_a_closed_history_keeps_nothing_and_is_refused(container):
    class Big:
        pass

    value = Big()
    history = History(container, [name_provider])
    put(container, name_provider, value)
    put(container, name_provider, "b")
    kept = weakref.ref(value)
    del value
    assert kept() is not None
    history.close()
    history.close()
    gc.collect()
    assert kept() is None
    put(container, name_provider, "c")
    assert not history.can_undo
    with pytest.raises(HistoryClosedError):
        history.undo()


def test_a_disposed_container_is_named():
    container = ProviderContainer()
    history = History(container, [name_provider])
    container.dispose()
    with pytest.raises(ContainerDisposedError):
        history.undo()
    history.close()


def test_undo_during_a_build_is_refused(container):
    history = History(container, [name_provider])
    put(container, name_provider, "b")
    with pytest.raises(Exception, match="lambda") as refused:
        container.read(Provider(lambda ref: history.undo()))
    assert isinstance(refused.value.__cause__, ChangeDuringBuildError)
    assert container.read(name_provider) == "b"
    assert history.undo()


async def test_under_an_event_loop_each_change_is_a_step_and_rebuilds_wait_for_the_turn():
    async with ProviderContainer() as container:
        history = History(container, [page_provider])
        put(container, page_provider, "one")
        put(container, page_provider, "two")
        history.undo()
        assert container.read(page_provider) == "one"
        put(container, number_provider, 1)
        await container.pump()
        put(container, page_provider, "three")
        assert history.undo()
        assert (container.read(page_provider), history.undo()) == ("page 0", False)


@pytest.mark.parametrize("kind", ["state", "notifier"])
async def test_a_state_that_is_read_from_a_storage_is_no_step(kind):
    """Undoing it would overwrite the stored state with the default."""
    storage = InMemoryStorage()
    await storage.write("theme", '"dark"', StorageOptions())

    class Theme(Notifier[str]):
        def build(self):
            self.persist(storage, key="theme", as_type=str)
            return "light"

    persisted = {
        "state": StateProvider.persisted("theme", "light", storage=storage),
        "notifier": NotifierProvider(Theme),
    }
    provider = persisted[kind]
    async with ProviderContainer() as container:
        history = History(container, [provider, name_provider])
        statuses = [container.read(history.status)]
        container.listen(history.status, lambda _, status: statuses.append(status))
        await next_value(container, provider)
        put(container, name_provider, "b")
        assert (container.read(provider), statuses) == (
            "dark",
            [HistoryStatus(False, False), HistoryStatus(True, False)],
        )
        assert history.undo()
        assert not history.undo()
        assert container.read(provider) == "dark"
        put(container, provider, "blue")
        assert history.undo()
        assert container.read(provider) == "dark"
        container.invalidate(provider)
        await next_value(container, provider)
        put(container, provider, "blue")
        assert history.undo()


async def next_value(container, provider):
    """Wait for a change of a provider."""
    changed = asyncio.Event()
    with container.listen(provider, lambda previous, value: changed.set()):
        await asyncio.wait_for(changed.wait(), 25)


async def test_a_pending_change_is_no_step_until_it_is_confirmed():
    async with ProviderContainer() as container:
        history = History(container, [text_provider])
        text = container.read(text_provider.notifier)
        async with text.optimistic(lambda text: f"{text}!"):
            assert not history.can_undo
        assert history.can_undo
        async with text.optimistic(lambda text: f"{text}?"):
            history.undo()
            assert container.read(text_provider) == "?"
        assert container.read(text_provider) == "?"
