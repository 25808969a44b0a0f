"""Eager tasks, which start when they are created: those of asyncio since Python 3.12, or an equivalent."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any

import attrs


@attrs.frozen
class _Rest:
    """Continues a coroutine after its first step, which yielded a value."""

    coroutine: Coroutine[Any, Any, Any]
    yielded: Any

    def __await__(self) -> Generator[Any, Any, Any]:
        yield self.yielded
        return (yield from self.coroutine.__await__())


async def _given(value: Any) -> Any:
    return value


async def _rest(coroutine: Coroutine[Any, Any, Any], yielded: Any) -> Any:
    return await _Rest(coroutine, yielded)


def _eager_task(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
    try:
        yielded = coroutine.send(None)
    except StopIteration as end:
        return asyncio.Task(_given(end.value), loop=loop, **options)
    return asyncio.Task(_rest(coroutine, yielded), loop=loop, **options)


def eager_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Make a loop start its tasks when they are created."""
    loop.set_task_factory(getattr(asyncio, "eager_task_factory", _eager_task))
