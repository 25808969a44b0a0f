"""``SyncDatabase``: a database for code without an event loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Generator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from typing import Self

import attrs

from tetherpy.closable import Closable

from ..addresses import redacted
from ..sql_database import SqlDatabase, SqlStatements, SqlTransaction
from .derived import Synchronous, sync_form
from .of_process import OfProcess
from .portal import Portal, check_no_loop


class SyncStatements(Synchronous[SqlStatements]):
    """Methods that run SQL with ``?`` or ``:name`` for values, on both databases; those of ``SqlStatements``."""

    __slots__ = ()

    execute = sync_form(SqlStatements.execute)
    execute_many = sync_form(SqlStatements.execute_many)
    get = sync_form(SqlStatements.get)
    get_optional = sync_form(SqlStatements.get_optional)
    get_all = sync_form(SqlStatements.get_all)
    migrate = sync_form(SqlStatements.migrate)


@attrs.frozen(eq=False)
class SyncTransaction(SyncStatements):
    """A transaction of a ``SyncDatabase``: committed at the end of its block, rolled back if an error leaves it.

    It may be used in the thread that began it.
    """

    _portal: Portal
    joined: SqlTransaction
    """The transaction in the loop, for calls with ``transaction=``."""

    def in_loop(self) -> tuple[Portal, SqlStatements]:
        """Return the transaction, and the portal to its loop."""
        return self._portal, self.joined


@attrs.define(eq=False)
class SyncDatabase(SyncStatements, Closable):
    """A database for threads without an event loop: plain ``def`` handlers, Flask, Django, scripts.

    ``SyncJobManager.open(address).database`` is one, and a plain ``def`` handler is called with one. Any number of
    threads may use it. A call waits for an event loop in another thread; in a thread that runs a loop it raises
    ``SyncCallInLoopError``.
    """

    address: str = attrs.field(repr=redacted)
    _open: Callable[[], AbstractAsyncContextManager[SqlDatabase]] | None
    _lent: tuple[Portal, SqlDatabase] | None = None
    _of_process: dict[int, OfProcess] = attrs.field(init=False, factory=dict[int, OfProcess])

    @classmethod
    def of(cls, portal: Portal, db: SqlDatabase) -> Self:
        """Return an open database for the threads of a portal to its loop; those who opened them close them."""
        return cls(db.address, None, (portal, db))

    def in_loop(self) -> tuple[Portal, SqlDatabase]:
        """Return the database that is open in this process, and the portal to its loop.

        The first call in a process opens it. Raises ``DatabaseClosedError`` after ``close``, ``DatabaseForkedError``
        for an SQLite file in a process whose parent had it open.
        """
        if self._lent is not None:
            return self._lent
        check_no_loop()
        return self._here().in_loop()

    @contextmanager
    def transaction(self) -> Generator[SyncTransaction]:
        """Begin a transaction: ``with db.transaction() as tx``; in one of this thread it is nested.

        It is that of the asynchronous database: on SQLite it holds the write lock until its end.
        """
        portal, database = self.in_loop()
        with portal.one_task() as calls:
            transaction = _Begun()
            joined = portal.call(lambda: transaction.begin(database, calls.stack))
            try:
                yield SyncTransaction(portal, joined)
            except BaseException as error:
                failure = error
                if not portal.call(lambda: transaction.end(failure)):
                    raise
            else:
                portal.call(lambda: transaction.end(None))

    def close(self) -> None:
        """Close the database, if this object has opened it in this process; a second call does nothing.

        Calls of other threads that are under way raise ``DatabaseClosedError``. A database that is still open at the
        end of the program is closed then.
        """
        if self._lent is None:
            check_no_loop()
            self._here().close()

    def __enter__(self) -> Self:
        self.in_loop()
        return self

    def _here(self) -> OfProcess:
        assert self._open is not None
        pid = os.getpid()
        # Those of other processes are kept: their connections must not be closed here.
        return self._of_process.get(pid) or self._of_process.setdefault(
            pid, OfProcess(redacted(self.address), self._open)
        )


@attrs.define(eq=False)
class _Begun:
    """A transaction in the task of its thread.

    An interruption of the thread, such as Ctrl-C, may lose the result of its begin; then the end of the task rolls it
    back.
    """

    _open: AsyncExitStack = attrs.field(init=False, factory=AsyncExitStack)

    async def begin(self, database: SqlDatabase, at_end: AsyncExitStack) -> SqlTransaction:
        transaction = await self._open.enter_async_context(database.transaction())
        at_end.push_async_callback(self.end, asyncio.CancelledError())
        return transaction

    async def end(self, error: BaseException | None) -> bool:
        """End it, if it is open; return whether it has handled the error."""
        trace = None if error is None else error.__traceback__
        return bool(await self._open.__aexit__(None if error is None else type(error), error, trace))
