"""What type checkers infer for optimistic updates and undo; checked by tests/unit/test_types.py."""
# pyright: strict

from __future__ import annotations

from typing import assert_type

from tetherpy import (
    AsyncNotifier,
    AsyncState,
    FutureProvider,
    History,
    HistoryStatus,
    Notifier,
    NotifierProvider,
    ProviderContainer,
    SqliteStorage,
    StateProvider,
    Storage,
    StreamNotifier,
)


class Count(Notifier[int]):
    def build(self) -> int:
        return 0

    async def add(self) -> None:
        async with self.optimistic(lambda count: assert_type(count, int) + 1) as update:
            update.replace(lambda count: assert_type(count, int) + 2)
        assert_type(self.confirmed, int)


class Names(AsyncNotifier[list[str]]):
    async def build(self) -> list[str]:
        return []

    async def add(self, name: str) -> None:
        async with self.optimistic(lambda names: [*assert_type(names, list[str]), name]):
            assert_type(self.confirmed, AsyncState[list[str]])


class Ticks(StreamNotifier[float]):
    async def skip(self) -> None:
        async with self.optimistic(lambda tick: assert_type(tick, float) + 1):
            assert_type(self.confirmed, AsyncState[float])


count = StateProvider(lambda ref: 0)
counter = NotifierProvider(Count)
loaded = FutureProvider(lambda ref: 0)


def undo(container: ProviderContainer) -> None:
    with History(container, [count, counter]) as history:
        assert_type(history.undo(), bool)
        assert_type(container.read(history.status), HistoryStatus)
    History(container, [loaded])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]


def persisted(storage: Storage[str, str], provider: FutureProvider[SqliteStorage]) -> None:
    theme = StateProvider.persisted("theme", "light", storage=storage)
    assert_type(theme, StateProvider[str])
    assert_type(StateProvider.persisted("count", 0, storage=provider.future), StateProvider[int])
