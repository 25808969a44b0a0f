"""The control client: a connection to the supervisor that is kept open, and opened again, while it is needed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import attrs

from tetherpy.event_wait import wait_for_event

from ..errors import FrameError, ServiceNotRunningError, ServiceStalledError
from ..protocol.frame_stream import FrameStream
from ..protocol.frames import Frame
from ..protocol.locks import signer_of
from ..protocol.service_files import ServiceFiles
from ..protocol.wait_bounds import FINISH_SECONDS, SEND_SECONDS

RETRY_SECONDS = 0.1
"""Pause between attempts to connect to a service that is not running."""

_logger = logging.getLogger("tetherpy.service")


@attrs.define(eq=False)
class ControlClient:
    """Stay connected while there are holders; ``on_absent`` is called when no service is running."""

    files: ServiceFiles
    on_frame: Callable[[Frame], None]
    on_absent: Callable[[], None]
    _holders: int = attrs.field(init=False, default=0)
    _connection: asyncio.Future[FrameStream] = attrs.field(init=False)
    _nudged: asyncio.Event = attrs.field(init=False, factory=asyncio.Event)
    _task: asyncio.Task[None] | None = attrs.field(init=False, default=None)
    _sent: bool = attrs.field(init=False, default=False)
    _read_by_service: bool = attrs.field(init=False, default=True)
    _endings: set[asyncio.Task[None]] = attrs.field(init=False, factory=set[asyncio.Task[None]])

    def hold(self) -> None:
        """Add a holder: connect in the running loop and stay connected until ``release``."""
        self._holders += 1
        if self._holders == 1:
            self._connection = asyncio.get_running_loop().create_future()
            self._task = asyncio.create_task(self._keep())

    def release(self) -> None:
        """Remove a holder; disconnect after the last one."""
        self._holders -= 1
        if self._holders == 0 and self._task is not None:
            self._task.cancel()
            self._endings.add(self._task)
            self._task.add_done_callback(self._endings.discard)
            self._task = None

    def nudge(self) -> None:
        """Try to connect now, because the service was just started."""
        self._nudged.set()

    async def send(self, data: bytes) -> None:
        """Send an encoded frame; return when the service has read it, or it is queued behind others.

        Raises ``ServiceNotRunningError`` without a service, ``ServiceStalledError`` if it does not read.
        """
        self.hold()
        self._sent = read = True
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await (await self._next_connection()).send(data)
        except TimeoutError as error:
            self._sent = False
            raise ServiceStalledError(self.files.name, SEND_SECONDS, signer_of(self.files.group_lock)) from error
        except ConnectionError as error:
            raise ServiceNotRunningError(self.files.name) from error
        finally:
            self.release()
            if self._holders == 0:
                read = await self.flush()
        if not read:
            raise ServiceStalledError(self.files.name, SEND_SECONDS, signer_of(self.files.group_lock))

    async def flush(self) -> bool:
        """Wait until the service has read all frames sent before the last release; return False after a timeout."""
        if self._endings:
            await asyncio.wait(self._endings)
        return self._read_by_service

    async def _next_connection(self) -> FrameStream:
        answer = self._unanswered() if _failed(self._connection) else self._connection
        self.nudge()
        return await asyncio.shield(answer)

    async def _keep(self) -> None:
        while True:
            self._nudged.clear()
            try:
                connection = await FrameStream.connect(self.files)
            except ServiceNotRunningError as error:
                self._answer_with(error)
                self.on_absent()
                await wait_for_event(self._nudged, RETRY_SECONDS)
            except OSError as error:
                # No free descriptors, for instance. Fail the waiting calls; the next attempt may succeed.
                if not _failed(self._connection):
                    _logger.warning("Cannot connect to the service of %s now: %s", self.files.name, error)
                self._answer_with(error)
                await wait_for_event(self._nudged, RETRY_SECONDS)
            else:
                await self._follow(connection)

    async def _follow(self, connection: FrameStream) -> None:
        self._unanswered().set_result(connection)
        try:
            async for frame in connection.frames():
                self.on_frame(frame)
        except FrameError:
            _logger.exception("The service of %s sent a line that is not a frame; reconnecting", self.files.name)
        finally:
            self._read_by_service = await connection.finish(SEND_SECONDS if self._sent else FINISH_SECONDS)
            self._sent = False

    def _answer_with(self, error: Exception) -> None:
        self._unanswered().set_exception(error)
        # Mark the exception as retrieved: asyncio would report it if no caller waits for it.
        self._connection.exception()

    def _unanswered(self) -> asyncio.Future[FrameStream]:
        if self._connection.done():
            self._connection = asyncio.get_running_loop().create_future()
        return self._connection


def _failed(answer: asyncio.Future[FrameStream]) -> bool:
    return answer.done() and answer.exception() is not None
