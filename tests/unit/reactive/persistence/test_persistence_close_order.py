"""The last edit of a persisted notifier is stored, although the same container closes its database."""

import asyncio

import pytest

from tetherpy import AsyncData, AsyncNotifier, AsyncNotifierProvider, FutureProvider, ProviderContainer, Ref
from tetherpy.database import Database
from tetherpy.service import SqliteStorage


@pytest.mark.parametrize("opened_by", ["a provider", "the build itself"])
def test_the_last_edit_is_stored_in_a_database_of_the_same_container(tmp_path, opened_by):
    @FutureProvider
    async def database(ref: Ref) -> Database:
        return await ref.enter_async(Database.open(tmp_path / "app.db"))

    class Todos(AsyncNotifier[list[str]]):
        async def build(self) -> list[str]:
            if opened_by == "a provider":
                db = await self.ref.watch(database.future)
            else:
                db = await self.ref.enter_async(Database.open(tmp_path / "app.db"))
            await self.persist(SqliteStorage(db), key="todos")
            return self.state.value or []

        def add(self, todo: str) -> None:
            self.state = AsyncData([*self.state.require_value, todo])

    todos = AsyncNotifierProvider(Todos)

    async def run(edit: str | None) -> list[str]:
        async with ProviderContainer() as container:
            found = await container.read(todos.future)
            if edit is not None:
                container.read(todos.notifier).add(edit)
            return found

    assert asyncio.run(run("first")) == []
    assert asyncio.run(run("last edit, then the app is closed")) == ["first"]
    assert asyncio.run(run(None)) == ["first", "last edit, then the app is closed"]
