"""Eager tasks, which begin when they are created: those of asyncio since Python 3.12, or the same made by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any

import attrs


@attrs.frozen
class _Rest:
    """Goes on with a coroutine after its first step, in which it yielded something."""

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
    """Have a loop begin its tasks when they are created."""
    loop.set_task_factory(getattr(asyncio, "eager_task_factory", _eager_task))
