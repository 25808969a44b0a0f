"""An SQLite connection on a dedicated thread; each call runs one function on it."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TypeAlias, TypeVar, TypeVarTuple, cast

import aiosqlite
import attrs

from ..errors import DatabaseClosedError, DatabaseError, DatabaseReplacedError
from ..shielding import finish
from .busy_timeout import BUSY_SLICE_MS
from .changes.table_access import CACHED_STATEMENTS
from .connection import TrackedConnection, configure
from .open_files import OpenFile

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
_driver_log = logging.getLogger("aiosqlite")
if _driver_log.level == logging.NOTSET:
    # At DEBUG it logs the values of every statement, payloads and passwords included.
    _driver_log.setLevel(logging.INFO)

Explain: TypeAlias = Callable[[sqlite3.Error], DatabaseError | None]


@attrs.define(eq=False)
class ConnectionThread:
    """An aiosqlite connection whose calls run one after another, in the order in which they were made."""

    file: OpenFile
    _connection: aiosqlite.Connection
    _explain: Explain
    _closed: bool = False
    #: Calls made so far.
    hops: int = 0
    #: Calls that have not returned yet.
    under_way: int = 0

    @classmethod
    async def open(cls, path: Path, explain: Explain, busy_timeout: float) -> Self:
        """Connect; a missing file is created. ``explain`` translates errors of SQLite."""
        opening = asyncio.ensure_future(cls._open(path, explain, busy_timeout))
        try:
            return await finish(opening)
        except asyncio.CancelledError:
            if not opening.cancelled() and opening.exception() is None:
                await opening.result().close()
            raise

    @classmethod
    async def _open(cls, path: Path, explain: Explain, busy_timeout: float) -> Self:
        file = OpenFile(path)
        try:
            connection = await aiosqlite.connect(
                path,
                factory=TrackedConnection,
                isolation_level=None,
                timeout=BUSY_SLICE_MS / 1000,
                cached_statements=CACHED_STATEMENTS,
            )
        except BaseException:
            file.closed()
            raise
        connection_thread = cls(file, connection, explain)
        try:
            await connection_thread.call(configure, busy_timeout)
            file.opened()
        except BaseException:
            await connection_thread.close()
            raise
        return connection_thread

    @property
    def path(self) -> Path:
        """Return the database's path."""
        return self.file.path

    async def call(self, function: Callable[[TrackedConnection, *Ts], T], *args: *Ts) -> T:
        """Run ``function(connection, *args)`` on the connection's thread.

        If the caller is cancelled, the call ends at once and the function still runs in its turn. Raises
        ``DatabaseReplacedError`` if the path no longer leads to the open file.
        """
        self.file.check_process()
        if self._closed:
            raise DatabaseClosedError(self.path)
        self.hops += 1
        self.under_way += 1
        try:
            # TrackedConnection accepts a callable where aiosqlite expects SQL.
            checked = cast("Any", _checked)
            return cast("T", await self._connection.execute_fetchall(checked, (self.file, function, args)))
        except sqlite3.Error as error:
            explained = self.explained(error)
            if explained is error:
                raise
            raise explained from error
        finally:
            self.under_way -= 1

    def explained(self, error: BaseException) -> BaseException:
        """Return the ``DatabaseError`` for an error of SQLite, caused by it; other errors are returned unchanged."""
        if not isinstance(error, sqlite3.Error) or (explained := self._explain(error)) is None:
            return error
        explained.__cause__ = error
        return explained

    def end(self) -> DatabaseError:
        """Return the error of calls after the end: ``DatabaseReplacedError`` or ``DatabaseClosedError``."""
        return DatabaseReplacedError(self.path) if self.file.is_replaced else DatabaseClosedError(self.path)

    async def close(self) -> None:
        """Close after the pending calls; an open transaction is rolled back."""
        self._closed = True
        await finish(self._connection.close())
        self.file.closed()


def _checked(connection: TrackedConnection, file: OpenFile, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    file.check_name()
    return function(connection, *args)
