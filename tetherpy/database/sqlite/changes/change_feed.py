"""The change feed: poll the table versions after each wake-up and notify the listeners of this process."""

import asyncio
import logging
from collections.abc import Callable
from typing import TypeAlias

import attrs

from tetherpy.subscribers import Subscribers, call_subscriber
from tetherpy.wait_queue import WaitQueue

from ...errors import DatabaseReplacedError
from ..connection_thread import ConnectionThread
from .change_signal import ChangeSignal
from .polling import PollingWatcher
from .table_versions import TableVersions
from .watcher_choice import Watcher, watch

LOG = logging.getLogger("tetherpy.database")

OnChange: TypeAlias = Callable[[frozenset[str]], None]

#: The number of polls without a pause after an idle time, and the pause in seconds between later polls.
_EAGER_POLLS = 4
_GAP = 0.001
PUSH_RETRY_SECONDS = 5.0
"""How often a process that polls tries to get push notifications instead."""
POLL_RETRY_SECONDS = 0.25
"""Pause after a poll that failed."""


@attrs.frozen(eq=False)
class Listener:
    """The callbacks of one listener: for changes, and for the end of the feed."""

    changed: OnChange
    closed: Callable[[], None]


@attrs.define(eq=False)
class ChangeFeed:
    """Poll the table versions after each change signal, and every ``safety_interval`` seconds (None: never).

    The interval finds commits without a signal, such as that of a process that was killed between the two. Without
    listeners nothing is watched and no timer runs.
    """

    _reader: ConnectionThread
    _change_signal: ChangeSignal
    _loop: asyncio.AbstractEventLoop
    _safety_interval: float | None
    _versions: TableVersions = attrs.Factory(TableVersions)
    _listeners: Subscribers[Listener] = attrs.field(
        init=False, default=attrs.Factory(lambda self: Subscribers(self._start, self._stop), takes_self=True)
    )
    _watcher: Watcher | None = None
    _timer: asyncio.TimerHandle | None = None
    _listen_timer: asyncio.TimerHandle | None = None
    _is_failing: bool = False
    _polling: "asyncio.Task[None] | None" = None
    _again: bool = False
    #: Tasks that wait for the end of the next poll.
    _waiting: WaitQueue[None, None] = attrs.field(
        init=False, default=attrs.Factory(lambda self: WaitQueue(self.wake), takes_self=True)
    )
    _commits_seen: int = 0
    _closed: bool = False

    async def begin(self) -> None:
        """Take the current versions as known."""
        await self._reader.call(self._versions.start)

    def add(self, changed: OnChange, closed: Callable[[], None]) -> Callable[[], None]:
        """Call ``changed`` after each commit from now on, ``closed`` at the end; return the function that stops it.

        The first report may name tables that changed earlier, because there is no polling without listeners.
        """
        if self._closed:
            raise self._reader.end()
        return self._listeners.add(Listener(changed, closed))

    async def caught_up(self) -> None:
        """Wait until everything committed before this call has been reported."""
        await self._waiting.wait(None)

    def wake(self) -> None:
        """Poll soon, even if there was no signal."""
        self._again = True
        if self._polling is None and not self._closed:
            self._polling = self._loop.create_task(self._poll_while_woken())

    async def close(self) -> None:
        """Stop, and call ``closed`` of every listener."""
        self._closed = True
        self._waiting.close(self._reader.end)
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.wait([self._polling])
        self._end()

    def _end(self) -> None:
        self._closed = True
        for listener in self._listeners.take_all():
            call_subscriber("database changes", listener.closed)
        self._waiting.refuse_all(self._reader.end)

    def _start(self) -> None:
        self._listen()
        self._schedule()

    def _listen(self) -> None:
        """Watch the change signal file.

        While only polling works, try push notifications again every ``PUSH_RETRY_SECONDS``.
        """
        self._stop_listening()
        self._watcher = watch(self._change_signal, self.wake, lambda: self._commits_seen, lambda _: self._listen())
        if isinstance(self._watcher, PollingWatcher):
            self._listen_timer = self._loop.call_later(PUSH_RETRY_SECONDS, self._listen)
        self.wake()  # for changes before the watch began

    def _stop_listening(self) -> None:
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None
        if self._listen_timer is not None:
            self._listen_timer.cancel()
            self._listen_timer = None

    def _stop(self) -> None:
        self._stop_listening()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _schedule(self) -> None:
        if self._safety_interval is not None:
            self._timer = self._loop.call_later(self._safety_interval, self._tick)

    def _tick(self) -> None:
        self._schedule()
        self.wake()

    async def _poll_while_woken(self) -> None:
        eager = _EAGER_POLLS
        try:
            while self._again:
                self._again = False
                await self._poll_once()
                eager -= 1
                if self._again and eager <= 0:
                    await asyncio.sleep(_GAP)
        finally:
            self._polling = None

    async def _poll_once(self) -> None:
        waiting = self._waiting.take_all()
        try:
            tables = await self._reader.call(self._versions.poll, self._loop.time())
        except asyncio.CancelledError:  # the database is closing
            for waiter in waiting:
                waiter.fail(self._reader.end())
            raise
        except DatabaseReplacedError as error:
            for waiter in waiting:
                waiter.fail(error)
            LOG.error("%s", error)  # noqa: TRY400  # the traceback does not help
            self._end()
            return
        except Exception as error:
            for waiter in waiting:
                waiter.fail(error)
            if not self._is_failing:
                LOG.exception("could not poll for changes; trying again every %g s", POLL_RETRY_SECONDS)
            self._is_failing = True
            # There may never be another wake-up.
            self._loop.call_later(POLL_RETRY_SECONDS, self.wake)
            return
        self._is_failing = False
        if tables:
            self._commits_seen += 1
            for listener in self._listeners:
                call_subscriber("database changes", listener.changed, tables)
        for waiter in waiting:
            waiter.answer(None)
