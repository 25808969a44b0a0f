"""A connection to the service that lasts while somebody needs it, whether the service runs or not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import attrs

from .connection import Connection
from .errors import ServiceNotRunningError
from .files import ServiceFiles
from .wire import Frame

RETRY_SECONDS = 0.1
"""How often a service that is not there is looked for, while somebody listens for it."""


@attrs.define(eq=False)
class Link:
    """Keep connected while held; ``on_absent`` is called when there is no service to connect to."""

    files: ServiceFiles
    on_frame: Callable[[Frame], None]
    on_absent: Callable[[], None]
    _holders: int = attrs.field(init=False, default=0)
    _connection: asyncio.Future[Connection] = attrs.field(init=False)
    _nudged: asyncio.Event = attrs.field(init=False, factory=asyncio.Event)
    _task: asyncio.Task[None] | None = attrs.field(init=False, default=None)
    _endings: set[asyncio.Task[None]] = attrs.field(init=False, factory=set[asyncio.Task[None]])

    def hold(self) -> None:
        """Be connected from now on, in the running loop."""
        self._holders += 1
        if self._holders == 1:
            self._connection = asyncio.get_running_loop().create_future()
            self._task = asyncio.create_task(self._keep())

    def release(self) -> None:
        """Disconnect unless others hold the link."""
        self._holders -= 1
        if self._holders == 0 and self._task is not None:
            self._task.cancel()
            self._endings.add(self._task)
            self._task.add_done_callback(self._endings.discard)
            self._task = None

    def nudge(self) -> None:
        """Look for the service now: it was just started."""
        self._nudged.set()

    @asynccontextmanager
    async def connected(self) -> AsyncGenerator[Connection]:
        """Hold the link; ``ServiceNotRunningError`` if there is no service now."""
        self.hold()
        try:
            yield await self._next_connection()
        finally:
            self.release()
            if self._holders == 0:
                await self.settle()

    async def settle(self) -> None:
        """Wait until what was sent before the last release has been read."""
        if self._endings:
            await asyncio.wait(self._endings)

    async def _next_connection(self) -> Connection:
        answer = self._unanswered() if _failed(self._connection) else self._connection
        self.nudge()
        return await asyncio.shield(answer)

    async def _keep(self) -> None:
        while True:
            self._nudged.clear()
            try:
                connection = await Connection.open(self.files)
            except ServiceNotRunningError as error:
                self._unanswered().set_exception(error)
                # Nobody may wait for it, and then it is no news that it failed.
                self._connection.exception()
                self.on_absent()
                await self._wait_for_nudge()
                continue
            self._unanswered().set_result(connection)
            try:
                async for frame in connection.frames():
                    self.on_frame(frame)
            finally:
                await connection.finish()

    async def _wait_for_nudge(self) -> None:
        try:
            async with asyncio.timeout(RETRY_SECONDS):
                await self._nudged.wait()
        except TimeoutError:
            return

    def _unanswered(self) -> asyncio.Future[Connection]:
        if self._connection.done():
            self._connection = asyncio.get_running_loop().create_future()
        return self._connection


def _failed(answer: asyncio.Future[Connection]) -> bool:
    return answer.done() and answer.exception() is not None
