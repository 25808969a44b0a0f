"""Telling this process that tables changed: one look for every wake-up, one report for every listener."""

import asyncio
import logging
from collections.abc import Callable
from typing import TypeAlias

import attrs

from tetherpy.wait_queue import WaitQueue

from ...errors import DatabaseReplacedError
from ..connection_thread import ConnectionThread
from .change_signal import ChangeSignal
from .polling import PollingWatcher
from .signal_watcher import Watcher, watch
from .table_versions import TableVersions

LOG = logging.getLogger("tetherpy.database")

OnChange: TypeAlias = Callable[[frozenset[str]], None]

#: Looks that may follow each other at once after a time of quiet, and the seconds between two from then on.
_EAGER_LOOKS = 4
_GAP = 0.001
LISTEN_AGAIN_SECONDS = 5.0
"""A process that has to ask tries this often to be pushed to instead."""
LOOK_AGAIN_SECONDS = 0.25
"""After a look that failed."""


def do_nothing() -> None:
    """Take no notice."""


@attrs.frozen(eq=False)
class Listener:
    """Who is told of changes, and of the end."""

    changed: OnChange
    closed: Callable[[], None]


@attrs.define(eq=False)
class ChangeFeed:
    """Looks at the database when the bell rings, and at a slow pace in case a ring was lost.

    A process killed between its commit and its ring is found by the slow pace, ``safety_interval`` seconds
    (None: no safety net). Without listeners nothing is watched and no timer runs.
    """

    _reader: ConnectionThread
    _bell: ChangeSignal
    _loop: asyncio.AbstractEventLoop
    _safety_interval: float | None
    _log: TableVersions = attrs.Factory(TableVersions)
    _listeners: list[Listener] = attrs.Factory(list[Listener])
    _watcher: Watcher | None = None
    _timer: asyncio.TimerHandle | None = None
    _listen_timer: asyncio.TimerHandle | None = None
    _is_failing: bool = False
    _looking: "asyncio.Task[None] | None" = None
    _again: bool = False
    #: Tasks that wait for the next look to end.
    _waiting: WaitQueue[None, None] = attrs.field(
        init=False, default=attrs.Factory(lambda self: WaitQueue(self.wake), takes_self=True)
    )
    _commits_seen: int = 0
    _closed: bool = False

    async def begin(self) -> None:
        """Take the state of now as known."""
        await self._reader.call(self._log.start)

    def add(self, changed: OnChange, closed: Callable[[], None]) -> Callable[[], None]:
        """Call ``changed`` after every commit from now on, ``closed`` at the end; return what stops it.

        The first report may name tables that changed before, since nobody looked while nobody listened.
        """
        if self._closed:
            raise self._reader.end()
        listener = Listener(changed, closed)
        self._listeners.append(listener)
        if len(self._listeners) == 1:
            self._start()

        def remove() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)
                if not self._listeners:
                    self._stop()

        return remove

    async def caught_up(self) -> None:
        """Wait until everything committed before this call has been reported."""
        await self._waiting.wait(None)

    def wake(self) -> None:
        """Look soon, whether or not something changed."""
        self._again = True
        if self._looking is None and not self._closed:
            self._looking = self._loop.create_task(self._look_while_woken())

    async def close(self) -> None:
        """Stop, and tell every listener that there will be no more."""
        self._closed = True
        self._waiting.close(self._reader.end)
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])
        self._end()

    def _end(self) -> None:
        self._closed = True
        if self._listeners:
            self._stop()
        listeners, self._listeners = self._listeners, []
        for listener in listeners:
            self._tell(listener.closed)
        self._waiting.refuse_all(self._reader.end)

    def _start(self) -> None:
        self._listen()
        self._schedule()

    def _listen(self) -> None:
        """Watch the bell; a process that can only ask tries again later."""
        self._stop_listening()
        self._watcher = watch(self._bell, self.wake, lambda: self._commits_seen, lambda _: self._listen())
        if isinstance(self._watcher, PollingWatcher):
            self._listen_timer = self._loop.call_later(LISTEN_AGAIN_SECONDS, self._listen)
        self.wake()  # for what happened while nobody listened

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

    async def _look_while_woken(self) -> None:
        eager = _EAGER_LOOKS
        try:
            while self._again:
                self._again = False
                await self._look_once()
                eager -= 1
                if self._again and eager <= 0:
                    await asyncio.sleep(_GAP)
        finally:
            self._looking = None

    async def _look_once(self) -> None:
        waiting = self._waiting.take_all()
        try:
            tables = await self._reader.call(self._log.look, self._loop.time())
        except asyncio.CancelledError:  # the database is closing
            for waiter in waiting:
                waiter.fail(self._reader.end())
            raise
        except DatabaseReplacedError as error:
            for waiter in waiting:
                waiter.fail(error)
            LOG.error("%s", error)  # noqa: TRY400  # where it was found says nothing
            self._end()
            return
        except Exception as error:
            for waiter in waiting:
                waiter.fail(error)
            if not self._is_failing:
                LOG.exception("could not look for changes; trying again every %g s", LOOK_AGAIN_SECONDS)
            self._is_failing = True
            # Nothing else may ever lead to another look.
            self._loop.call_later(LOOK_AGAIN_SECONDS, self.wake)
            return
        self._is_failing = False
        if tables:
            self._commits_seen += 1
            for listener in tuple(self._listeners):
                self._tell(listener.changed, tables)
        for waiter in waiting:
            waiter.answer(None)

    def _tell(self, callback: Callable[..., None], *args: frozenset[str]) -> None:
        try:
            callback(*args)
        except Exception as error:  # reported as asyncio reports a callback's error
            self._loop.call_exception_handler({"message": "a listener for database changes failed", "exception": error})
