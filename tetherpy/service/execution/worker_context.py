"""The shared state of one worker process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from tetherpy.database import SqlDatabase

from ..protocol.event_bus import EventBus
from ..protocol.frames import Frame, Working
from ..protocol.settings import WorkerConfig
from ..worker.periodic_jobs import PeriodicJob
from .handlers import HandlerRegistry
from .notification import Notification

if TYPE_CHECKING:
    from tetherpy.reactive import ProviderContainer


class Outbox(Protocol):
    """The destination of a worker's frames: its supervisor, or a test."""

    def send(self, frame: Frame) -> None:
        """Send a frame, from any thread."""
        ...

    async def send_event(self, data: bytes) -> None:
        """Send an encoded event; wait while the receiver has too many unread ones."""
        ...


@attrs.define(eq=False)
class WorkerContext:
    """The registrations of the initialization callback, and the parts that jobs use."""

    config: WorkerConfig
    supervisor_pipe: Outbox
    stack: AsyncExitStack
    notification: Notification
    event_bus: EventBus = attrs.field(factory=EventBus)
    handlers: HandlerRegistry = attrs.field(factory=HandlerRegistry)
    periodic: dict[str, PeriodicJob] = attrs.field(factory=dict[str, PeriodicJob])
    overrides: list[Any] = attrs.field(factory=list[Any])
    database: SqlDatabase | None = None
    container: ProviderContainer | None = None
    on_registered: Callable[[], None] = attrs.field(init=False, default=lambda: None)
    """Called in the loop after the registration of a handler or a periodic job."""
    _loop: asyncio.AbstractEventLoop = attrs.field(init=False, factory=asyncio.get_running_loop)
    _has_worked: bool = attrs.field(init=False, default=False)
    _thread: int = attrs.field(init=False, factory=threading.get_ident)

    def begin_work(self) -> None:
        """Notify the supervisor of the first job."""
        if not self._has_worked:
            self._has_worked = True
            self.supervisor_pipe.send(Working())

    @property
    def is_in_loop(self) -> bool:
        """Whether this thread is that of the worker's loop."""
        return threading.get_ident() == self._thread

    def in_loop(self, function: Callable[..., object], *args: object) -> None:
        """Call a function in the loop's thread: at once if this is that thread, else soon."""
        if self.is_in_loop:
            function(*args)
        else:
            self._loop.call_soon_threadsafe(function, *args)
