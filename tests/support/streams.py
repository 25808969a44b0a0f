"""The values of observables and of providers, collected until a test has seen the one it waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from tests.support.waiting import BOUND
from tetherpy.reactive import ProviderContainer


class Seen:
    """The values of an observable, and its ends: the error, or None at its completion."""

    def __init__(self, stream: Any) -> None:
        self.values: list[Any] = []
        self.ends: list[Exception | None] = []
        self._changed = asyncio.Event()
        self.subscription = stream.subscribe(self._take, self._end, lambda: self._end(None))

    def _take(self, value: Any) -> None:
        self.values.append(value)
        self._changed.set()

    def _end(self, end: Exception | None) -> None:
        self.ends.append(end)
        self._changed.set()

    async def until(self, condition: Callable[[Any], object]) -> Any:
        """Wait until the last value meets a condition, and return it."""
        await self._wait(lambda: self.values and condition(self.values[-1]))
        return self.values[-1]

    async def until_it_ends(self) -> Exception | None:
        """Wait for the end, and return the error, or None."""
        await self._wait(lambda: self.ends)
        return self.ends[0]

    async def _wait(self, is_met: Callable[[], object]) -> None:
        async with asyncio.timeout(BOUND):
            while not is_met():
                self._changed.clear()
                await self._changed.wait()


async def first_data(container: ProviderContainer, provider: Any, condition: Callable[[Any], object]) -> Any:
    """Return the first data of an asynchronous provider that meets a condition."""
    async with asyncio.timeout(BOUND):
        async for state in container.stream(provider):
            if state.has_value and not state.is_loading and condition(state.require_value):
                return state.require_value
    raise AssertionError("the stream ended")
