"""The containers of one test."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import AsyncExitStack, contextmanager

import attrs

from tetherpy.reactive import ProviderContainer


@attrs.define(eq=False)
class TestContainers:
    """The containers created by ``ProviderContainer.test`` in a test; the last one is disposed first."""

    __test__ = False

    opened: list[ProviderContainer] = attrs.field(init=False, factory=list[ProviderContainer])

    @contextmanager
    def collected(self) -> Generator[None]:
        """Collect the containers that ``ProviderContainer.test`` creates in the block."""
        outer, ProviderContainer.test_scope = ProviderContainer.test_scope, self.opened
        try:
            yield
        finally:
            ProviderContainer.test_scope = outer

    def begin(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Begin; containers need not know in which loop."""

    @property
    def is_needed(self) -> bool:
        """Whether there are any."""
        return any(not container.disposed for container in self.opened)

    async def dispose(self) -> None:
        """Dispose all containers, also after an error; then raise the errors."""
        async with AsyncExitStack() as stack:
            for container in self.opened:
                stack.push_async_callback(container.aclose)
