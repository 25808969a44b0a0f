"""Stand for the server of an app, such as an HTTP API that is reached through httpx."""

import asyncio

requests: list[str] = []
"""The requests that the server has received, and "cancelled" after one that its client has left."""

todos = [f"todo {number}" for number in range(8)]
PAGE = 3


async def answer(request: str) -> str:
    """Answer after a moment; the number counts requests of this text."""
    requests.append(request)
    try:
        await asyncio.sleep(0.01)
    except asyncio.CancelledError:
        requests.append("cancelled")
        raise
    return f"{request} {requests.count(request)}"


async def page_of_todos(page: int) -> list[str]:
    await answer("todos")
    return todos[page * PAGE : (page + 1) * PAGE]


async def add_todo(todo: str) -> None:
    await answer("add")
    if not todo:
        raise ValueError("a todo needs a text")
    todos.insert(0, todo)
