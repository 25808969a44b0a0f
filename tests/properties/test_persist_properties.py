"""Offline persistence on a storage that fails at random: the newest data is kept, or its loss is reported."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from typing import Any

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from tetherpy.reactive import (
    AsyncData,
    AsyncError,
    AsyncLoading,
    AsyncNotifier,
    AsyncNotifierProvider,
    InMemoryStorage,
    PersistedData,
    ProviderContainer,
    StateProvider,
    StorageOptions,
)
from tetherpy.reactive.errors import NoEventLoopError

LONG = bool(os.environ.get("TETHERPY_FUZZ"))
STATE_CHANGES = ("data", "error", "loading", "listener sets it again", "data and invalidate in a batch")
IN_LOOP = (*STATE_CHANGES, "invalidate", "change a dependency", "turn", "several turns", "close and start again")


class RefusedError(OSError):
    """The error of the storage; names the refused operation."""


class Unreliable(InMemoryStorage[str, str]):
    """A storage that takes 0 to 3 turns for each call and fails on request."""

    def __init__(self, calls: list[tuple[int, bool]]) -> None:
        super().__init__()
        self._calls: Iterator[tuple[int, bool]] = iter(calls)

    async def _call(self, name: str) -> None:
        turns, fails = next(self._calls, (0, False))
        for _ in range(turns):
            await asyncio.sleep(0)
        if fails:
            raise RefusedError(name)

    async def read(self, key: str) -> PersistedData[str] | None:
        await self._call("read")
        return await super().read(key)

    async def write(self, key: str, data: str, options: StorageOptions) -> None:
        await self._call(f"write {data}")
        await super().write(key, data, options)

    async def delete(self, key: str) -> None:
        await self._call("delete")
        await super().delete(key)


@attrs.define(eq=False, slots=False)
class World:
    """An app with one persisted notifier; all data values are distinct numbers."""

    calls: list[tuple[int, bool]]
    turns_of_build: int
    numbers: Iterator[int] = attrs.field(factory=lambda: iter(range(1, 1_000_000)))
    reported: list[str] = attrs.field(factory=list[str])
    builds: int = 0
    persists: bool = False

    def __attrs_post_init__(self) -> None:
        world = self
        self.storage = Unreliable(self.calls)
        self.filter = StateProvider(lambda ref: 0, name="filter")
        self.trigger = StateProvider(lambda ref: 0, name="trigger")

        class Persists(AsyncNotifier[int]):
            async def build(self) -> int:
                world.builds += 1
                try:
                    self.ref.watch(world.filter)
                    # Before persist, whose own disposer may wait for a write.
                    self.ref.on_dispose(lambda: setattr(world, "persists", False))
                    restored = self.persist(world.storage, key="key")
                    world.persists = True
                    await restored
                    for _ in range(world.turns_of_build):
                        await asyncio.sleep(0)
                    return next(world.numbers)
                finally:
                    world.builds -= 1

        self.provider = AsyncNotifierProvider(Persists)
        self.start()

    def start(self) -> None:
        self.container = ProviderContainer(on_error=lambda error, provider: self.note(error))
        self.is_listened_to = False

    def note(self, error: BaseException) -> None:
        """Record a report; a loop that ends during a write does not lose data."""
        if not isinstance(error, NoEventLoopError):
            self.reported.append(str(error))

    def listen(self) -> None:
        if not self.is_listened_to:
            self.is_listened_to = True
            self.container.listen(self.provider, lambda previous, state: None)
            self.container.listen(self.trigger, lambda previous, value: self.set(AsyncData(next(self.numbers))))

    def set(self, state: Any) -> None:
        self.container.read(self.provider.notifier).state = state

    def change(self, how: str) -> None:
        container = self.container
        match how:
            case "data":
                self.set(AsyncData(next(self.numbers)))
            case "error":
                self.set(AsyncError(ConnectionError("offline")))
            case "loading":
                self.set(AsyncLoading())
            case "listener sets it again":
                with container.batch():
                    container.read(self.trigger.notifier).state += 1
                    self.set(AsyncData(next(self.numbers)))
            case "data and invalidate in a batch":
                with container.batch():
                    self.set(AsyncData(next(self.numbers)))
                    container.invalidate(self.provider)
            case "invalidate":
                container.invalidate(self.provider)
            case "change a dependency":
                container.read(self.filter.notifier).state += 1

    async def run(self, actions: list[str], *, ends_built: bool) -> None:
        self.listen()
        for action in actions:
            if action == "close and start again":
                await self.close()
                self.start()
                self.listen()
            elif action.endswith("turn"):
                await asyncio.sleep(0)
            elif action.endswith("turns"):
                for _ in range(8):
                    await asyncio.sleep(0)
            else:
                self.change(action)
        if ends_built:
            async with asyncio.timeout(25):
                await self.container.pump()
                await asyncio.sleep(0)  # a requested build starts
                while self.builds:
                    await asyncio.sleep(0)

    async def close(self) -> None:
        state, persists = self.container.read(self.provider), self.persists
        newest = state.value if persists and state.has_value and not state.is_from_cache else None
        try:
            await self.container.aclose()
        except* RefusedError as failures:
            self.reported += [str(error) for error in failures.exceptions]
        if newest is not None and f"write {newest}" not in self.reported:
            assert json.loads(self.storage.kept["key"].data) == newest
        writes = [report for report in self.reported if report != "read"]
        assert len(set(writes)) == len(writes), "each data is reported once"
        assert all(report.startswith("write ") for report in writes)


calls = st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=12)
in_loop = st.lists(st.sampled_from(IN_LOOP), max_size=8)
without_loop = st.lists(st.sampled_from(STATE_CHANGES[:4]), max_size=3)


@settings(max_examples=5_000 if LONG else 100, deadline=None)
@given(calls, st.integers(0, 3), st.lists(st.tuples(in_loop, without_loop), min_size=1, max_size=3))
def test_the_newest_data_is_stored_at_the_end_or_its_loss_is_reported(
    calls: list[tuple[int, bool]], turns_of_build: int, loops: list[tuple[list[str], list[str]]]
) -> None:
    world = World(calls, turns_of_build)
    for actions, between in loops:
        # The loop ends in the middle of its tasks; without a loop only built providers can be used.
        asyncio.run(world.run(actions, ends_built=bool(between)))
        for action in between:
            world.change(action)
    asyncio.run(world.close())
