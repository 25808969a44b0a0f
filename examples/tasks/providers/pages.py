"""Load a list page by page, and show a new item before the server confirms it."""

from examples.tasks import server
from tetherpy import AsyncNotifier, AsyncNotifierProvider


class Todos(AsyncNotifier[list[str]]):
    async def build(self) -> list[str]:
        return await server.page_of_todos(0)

    async def load_more(self) -> None:
        async def with_next(todos: list[str]) -> list[str]:
            return todos + await server.page_of_todos(len(todos) // server.PAGE)

        await self.update(with_next)

    async def add(self, todo: str) -> None:
        async with self.optimistic(lambda todos: [todo, *todos]):
            await server.add_todo(todo)
        self.ref.invalidate_self()


todos_provider = AsyncNotifierProvider(Todos)
