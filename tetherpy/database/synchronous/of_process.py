"""A database that one process has open for its threads."""

from __future__ import annotations

import concurrent.futures.thread  # noqa: F401  # pyright: ignore[reportUnusedImport] - see _register
import os
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any
from weakref import WeakSet, finalize

import attrs

from tetherpy.closable import Closable

from ..errors import DatabaseClosedError, DatabaseLockedError
from ..sql_database import SqlDatabase
from .portal import Portal

_OPEN_EARLIER = (
    "The database is opened at the first use, which creates missing tables. If a transaction of this thread holds the "
    "lock, create them earlier, with `tetherpy migrate`, or open the database before the transaction begins, with a "
    "`with` block."
)


@attrs.define(eq=False)
class OfProcess(Closable):
    """A database that is opened at its first use, once for all threads, in a loop in a new thread.

    It is closed by ``close``, at the end of the program, or when no object refers to this one any longer.
    """

    name: str
    _open: Callable[[], AbstractAsyncContextManager[SqlDatabase]]
    _manager: AbstractAsyncContextManager[SqlDatabase] | None = attrs.field(init=False, default=None)
    _opened: tuple[Portal, SqlDatabase] | None = attrs.field(init=False, default=None)
    _when_dropped: finalize[Any, Any] | None = attrs.field(init=False, default=None)
    _closed: bool = attrs.field(init=False, default=False)
    _lock: threading.Lock = attrs.field(init=False, factory=threading.Lock)
    _pid: int = attrs.field(init=False, factory=os.getpid)

    def in_loop(self) -> tuple[Portal, SqlDatabase]:
        """Return the portal to the loop and the database; raises the errors of opening it."""
        opened = self._opened
        if opened is None:
            with self._lock:
                if self._closed:
                    raise DatabaseClosedError(self.name)
                opened = self._opened = self._opened or self._open_now()
        return opened

    def _open_now(self) -> tuple[Portal, SqlDatabase]:
        portal = Portal.start(self.name)
        try:
            manager = self._open()
            database = portal.call(manager.__aenter__)
        except BaseException as error:
            portal.close()
            if isinstance(error, DatabaseLockedError):
                error.add_note(_OPEN_EARLIER)
            raise
        self._manager = manager
        self._when_dropped = finalize(self, portal.end_after, lambda: manager.__aexit__(None, None, None))
        self._when_dropped.atexit = False
        _close_at_exit.add(self)
        return portal, database

    def close(self) -> None:
        """Close the database and end the loop, if this process has opened them; a second call does nothing."""
        if self._pid != os.getpid():
            return
        with self._lock:
            self._closed = True
            opened, self._opened = self._opened, None
            manager, self._manager = self._manager, None
            if self._when_dropped is not None:
                self._when_dropped.detach()
        if opened is not None and manager is not None:
            portal, _ = opened
            try:
                portal.call(lambda: manager.__aexit__(None, None, None))
            finally:
                portal.close()


_close_at_exit: WeakSet[OfProcess] = WeakSet()


def _close_all() -> None:
    for of_process in tuple(_close_at_exit):
        of_process.close()


# Not atexit: the interpreter waits for the threads of the connections before it calls those functions. This one is
# called before that wait, and before executors refuse work, since theirs was registered earlier (see the import).
_register: Callable[[Callable[[], None]], Any] = vars(threading)["_register_atexit"]
_register(_close_all)
