"""``Database``: an SQLite file that is open in one event loop."""

import asyncio
import contextlib
import sqlite3
import warnings
from collections.abc import AsyncGenerator, Callable, Hashable, Iterable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple, get_args

import attrs

from tetherpy.durations import to_seconds
from tetherpy.iteration import keep_union
from tetherpy.observables import observable
from tetherpy.subscribers import do_nothing

from .. import internal_tables, migrations
from ..addresses import Address
from ..app_transactions.joined_sqlite import JoinedTransaction, join
from ..app_transactions.recognition import AppTransaction
from ..awaitable_context import Opening
from ..errors import DatabaseArgumentError, DatabaseError, TransactionHeldError, WrongLoopError
from ..migrations import Migration
from ..required_row import required
from ..shielding import finish
from .changes.change_feed import ChangeFeed, OnChange
from .changes.change_signal import ChangeSignal
from .changes.live_queries import LiveQuery, Observer, Query
from .connection import Parameters, Row, Synchronous, TrackedConnection, configure_reader, configure_writer
from .connection_thread import ConnectionThread
from .error_translation import explain, explain_reading
from .execution import Executed, execute, execute_many, fetch_all, fetch_first, in_snapshot
from .free_space import FreeSpace
from .long_reads import LongReads
from .path_checks import checked_path, create_file
from .transaction import Transaction
from .wal_bound import WalBound
from .writer import Writer

if TYPE_CHECKING:
    from tetherpy.observables import IterableObservable

LONGEST_READ_SECONDS = 10.0
"""The default time limit of ``Database.read_long``."""

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@attrs.define(eq=False)
class Database:
    """An SQLite file in WAL mode: one connection for writing and one for reading, each on a dedicated thread.

    Every call is one hop to a thread. Writes that wait at the same time share a transaction (group commit). Call it
    only in the event loop that opened it. Any number of Databases, in any number of processes, may have the same
    file open.
    """

    path: Path
    _loop: asyncio.AbstractEventLoop
    _writer: Writer
    _reader: ConnectionThread
    _long_reads: LongReads
    _change_signal: ChangeSignal
    _feed: ChangeFeed
    _live_queries: dict[Hashable, LiveQuery] = attrs.Factory(dict[Hashable, LiveQuery])
    _lifetime: AsyncGenerator[None] = attrs.field(init=False)
    _closing: "asyncio.Task[None] | None" = None

    def __attrs_post_init__(self) -> None:
        self._lifetime = self._until_closed()

    @classmethod
    def open(
        cls,
        path: Address,
        *,
        migrations: Iterable[Migration] = (),
        synchronous: Synchronous = "NORMAL",
        busy_timeout: timedelta | float = 5.0,
        safety_interval: timedelta | float | None = 0.25,
    ) -> "Opening[Database]":
        """Open or create the file and apply missing migrations: ``async with Database.open(...)``.

        Args:
            path: the file; ``~`` is the home folder of the user. Its folder must exist.
            migrations: the schema of the app. Each migration is applied once.
            synchronous: the setting of SQLite. With NORMAL, commits survive any crash of the process, and a power
                failure may lose the last ones; FULL syncs each commit to the disk.
            busy_timeout: bound on the wait for another process' write transaction (``timedelta`` or seconds).
            safety_interval: how often a listening process polls for commits that sent no change signal, such as
                those of programs that do not use tetherpy (``timedelta`` or seconds, None for never).

        Foreign keys are enforced. Raises :class:`DatabaseOpenError`, :class:`MigrationError` or another
        :class:`DatabaseError`.
        """
        if synchronous not in get_args(Synchronous):
            raise DatabaseArgumentError("synchronous", synchronous, "it must be 'OFF', 'NORMAL', 'FULL' or 'EXTRA'")
        steps = tuple(migrations)
        busy_seconds = to_seconds("busy_timeout", busy_timeout)
        safety_seconds = (
            None if safety_interval is None else to_seconds("safety_interval", safety_interval, positive=True)
        )
        return Opening(lambda: cls._open(path, steps, synchronous, busy_seconds, safety_seconds))

    @classmethod
    async def _open(
        cls,
        address: Address,
        steps: tuple[Migration, ...],
        synchronous: Synchronous,
        busy_timeout: float,
        safety_interval: float | None,
    ) -> "Database":
        path = checked_path(address)
        create_file(path)
        loop = asyncio.get_running_loop()
        async with contextlib.AsyncExitStack() as stack:
            explained = partial(explain, path=path, busy_timeout=busy_timeout)
            connection_thread = await ConnectionThread.open(path, explained, busy_timeout)
            stack.push_async_callback(connection_thread.close)
            await connection_thread.call(configure_writer, path, synchronous, busy_timeout)
            change_signal = ChangeSignal.of(path)
            stack.callback(change_signal.close)
            open_reader = partial(_open_reader, path, busy_timeout)
            reader = await open_reader()
            stack.push_async_callback(reader.close)
            wal_bound = WalBound(path)
            free_space = FreeSpace(path)

            def committed(connection: TrackedConnection) -> None:
                change_signal.send()
                wal_bound.keep(connection)
                free_space.release_space(connection)

            writer = Writer(connection_thread, busy_timeout, committed)
            if not await reader.call(internal_tables.is_there):
                await writer.run(internal_tables.create, ())
            feed = ChangeFeed(reader, change_signal, loop, safety_interval)
            await feed.begin()
            database = cls(path, loop, writer, reader, LongReads(open_reader), change_signal, feed)
            await database.migrate(steps)
            await anext(database._lifetime)
            stack.pop_all()
            return database

    @property
    def address(self) -> str:
        """Return the path."""
        return str(self.path)

    async def aclose(self) -> None:
        """Finish queued calls, end the live queries and close; a second call waits for the first one.

        An open transaction is rolled back, and its next statement raises :class:`DatabaseClosedError`, like every
        other call. In a forked child of the process that opened the database this does nothing.
        """
        if self._writer.connection_thread.file.is_inherited:
            return  # the connections belong to the parent, which closes them
        self._check_loop()
        if self._closing is None:
            self._closing = self._loop.create_task(self._lifetime.aclose())
        await finish(self._closing)

    async def _until_closed(self) -> AsyncGenerator[None]:
        """Close the database when this generator is closed: by ``aclose``, or by the loop when it shuts down.

        Otherwise a process that did not close the database would never end: the connection threads wait for work.
        """
        try:
            yield
        finally:
            if not self._writer.connection_thread.file.is_inherited:
                await self._close()

    async def _close(self) -> None:
        if self._closing is None:
            warnings.warn(f"{self.path} was not closed", ResourceWarning, stacklevel=1, source=self)
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(self._change_signal.close)
            stack.push_async_callback(self._writer.close)
            stack.push_async_callback(self._reader.close)
            stack.push_async_callback(self._long_reads.close)
            await self._feed.close()

    async def migrate(self, steps: Iterable[Migration]) -> None:
        """Apply the migrations that are not applied yet, each in a separate transaction.

        Several processes may do this at the same time. Raises :class:`MigrationError` before the first step if
        ``steps`` conflict with the record in the database, and for a step that fails.
        """
        for ordered, step in await self._pending(steps):
            await self.run(migrations.apply, ordered, step)

    async def is_migrated(self, steps: Iterable[Migration]) -> bool:
        """Tell whether all of these migrations are applied and committed; raises as :meth:`migrate` does."""
        return not await self._pending(steps)

    async def _pending(self, steps: Iterable[Migration]) -> list[tuple[list[Migration], Migration]]:
        return [
            (ordered, step)
            for namespace, ordered in migrations.by_namespace(steps).items()
            for step in await self._reader.call(migrations.pending, namespace, ordered)
        ]

    async def run(self, function: Callable[[sqlite3.Connection, *Ts], T], *args: *Ts) -> T:
        """Run ``function(connection, *args)`` in one hop and one transaction; committed when this returns.

        Calls that wait at the same time share the transaction. If one of them fails, all are rolled back and run
        again one by one. So the function may run twice: it must have no effects except through the connection, and
        it must neither commit nor roll back. A cancellation before the function begins prevents it; later it does
        not change the outcome.
        """
        self._check_free("run")
        result: T = await self._writer.run(function, args)
        return result

    async def run_unless(
        self,
        answer: Callable[[sqlite3.Connection], T | None],
        function: Callable[[sqlite3.Connection, *Ts], T],
        *args: *Ts,
    ) -> T:
        """Return ``answer(connection)``, which only reads; if that is None, run ``function`` as :meth:`run` does.

        Both are one hop, and only the function takes the write lock. The function must check again, because another
        process may have written in between. It may also run when it is not needed, because other calls that
        wait at the same time need the write lock.
        """
        self._check_free("run_unless")
        result: T = await self._writer.run(function, args, answer)
        return result

    async def read(self, function: Callable[[sqlite3.Connection, *Ts], T], *args: *Ts) -> T:
        """Run ``function(connection, *args)`` in one hop and one snapshot on the reading connection.

        Live queries wait for the same connection, so use :meth:`read_long` for slow queries.
        """
        self._check_loop()
        result: T = await self._reader.call(in_snapshot, function, args)
        return result

    async def read_long(
        self,
        function: Callable[[sqlite3.Connection, *Ts], T],
        *args: *Ts,
        timeout: timedelta | float = LONGEST_READ_SECONDS,  # noqa: ASYNC109 - it interrupts the query
    ) -> T:
        """Run ``function(connection, *args)`` as :meth:`read` does, without delaying other reads.

        It is for queries over many rows. Long reads run one after another on a separate connection. Raises
        :class:`ReadTimeoutError` after ``timeout``. A cancelled call interrupts the query.
        """
        self._check_loop()
        result: T = await self._long_reads.read(function, args, to_seconds("timeout", timeout))
        return result

    async def execute(self, sql: str, parameters: Parameters = ()) -> Executed:
        """Execute one statement in a transaction; committed when this returns."""
        self._check_free("execute")
        result: Executed = await self._writer.run(execute, (sql, parameters))
        return result

    async def execute_many(self, sql: str, parameters: Iterable[Parameters]) -> int:
        """Execute a statement for each set of parameters in one transaction; return how many rows changed."""
        self._check_free("execute_many")
        result: int = await self._writer.run(execute_many, (sql, list(parameters)))
        return result

    async def get(self, sql: str, parameters: Parameters = ()) -> Row:
        """Return the first row; raises :class:`RowNotFoundError` if there is none."""
        return required(await self.get_optional(sql, parameters), sql)

    async def get_optional(self, sql: str, parameters: Parameters = ()) -> Row | None:
        """Return the first row, or None."""
        self._check_loop()
        return await self._reader.call(fetch_first, sql, parameters)

    async def get_all(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """Return all rows."""
        self._check_loop()
        return await self._reader.call(fetch_all, sql, parameters)

    def transaction(self) -> Transaction:
        """Return a transaction to enter: ``async with db.transaction() as tx``.

        It holds the write lock from beginning to end, so keep it short. In a task that has one open, it is nested: a
        savepoint that is rolled back separately and committed with the outer one. Reads on ``tx`` see its
        uncommitted changes; reads on the database do not.
        """
        self._check_loop()
        held = self._held()
        return Transaction(self._writer, self._writer) if held is None else held.transaction()

    async def join(self, transaction: AppTransaction) -> JoinedTransaction:
        """Return an object that runs functions in a transaction of the app, of this or another library.

        Raises ``NotATransactionError`` for other objects, ``OtherDatabaseError`` if it belongs to another database,
        ``TransactionUnusableError`` if it cannot be written in.
        """
        self._check_loop()
        return await join(self._writer.connection_thread.file, transaction, self._held() is not None)

    def on_change(self, callback: OnChange, closed: Callable[[], None] = do_nothing) -> Callable[[], None]:
        """Call ``callback(tables)`` in the loop after commits that changed tables, in this or any other process.

        Commits in quick succession are reported together. The report may name too many tables (see
        ``changes/table_versions.py``), never too few. ``closed()`` is called once when the database is closed, or
        its file is deleted or replaced; :meth:`end` returns the reason. Returns the function that unsubscribes.
        """
        self._check_loop()
        return self._feed.add(callback, closed)

    def end(self) -> DatabaseError:
        """Return the error that calls raise after the end: ``DatabaseReplacedError`` or ``DatabaseClosedError``."""
        return self._reader.end()

    @property
    def busy(self) -> bool:
        """Tell whether a call has not returned from the thread of a connection yet."""
        return bool(self._writer.connection_thread.under_way or self._reader.under_way or self._long_reads.busy)

    @property
    def changes(self) -> "IterableObservable[frozenset[str]]":
        """Return an observable of the names of changed tables, as in :meth:`on_change`; it completes at the close.

        ``async for`` gives a slow loop one set of all tables that have changed meanwhile.
        """
        return observable(lambda on_next, _, on_completed: self._feed.add(on_next, on_completed), keep_union)

    def watch(
        self, sql: str, parameters: Parameters = (), *, throttle: timedelta | float = 0.02
    ) -> "IterableObservable[list[Row]]":
        """Return an observable of the rows of a query: the current ones, and the new ones after each change.

        The query runs again after commits that changed a table it reads; SQLite reports which tables those are. It
        runs at most every ``throttle`` seconds, and at once after a pause. Rows equal to the last ones are not
        sent again, and equal queries are run once for all subscribers. The observable completes when the database
        is closed; an error of the query is its error. ``async for`` gives a slow loop the newest rows only.
        """
        query = Query(sql, parameters, to_seconds("throttle", throttle))
        return observable(
            lambda on_next, on_error, on_completed: self._live_query(query).subscribe(
                Observer(on_next, on_error, on_completed)
            )
        )

    def _live_query(self, query: Query) -> LiveQuery:
        self._check_loop()
        key = query.key()
        live = self._live_queries.get(key)
        if live is None:
            live = LiveQuery(query, self._reader, self._feed, lambda: self._forget(key))
            self._live_queries[key] = live
        return live

    def _forget(self, key: Hashable) -> None:
        self._live_queries.pop(key, None)

    def _held(self) -> Transaction | None:
        holder = self._writer.holder
        return holder.held_by(asyncio.current_task()) if isinstance(holder, Transaction) else None

    def _check_free(self, call: str) -> None:
        self._check_loop()
        if self._writer.holder is not None and self._held() is not None:
            raise TransactionHeldError(call)

    def _check_loop(self) -> None:
        self._writer.connection_thread.file.check_process()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        if loop is not self._loop:
            raise WrongLoopError(self.path)


async def _open_reader(path: Path, busy_timeout: float) -> ConnectionThread:
    reader = await ConnectionThread.open(
        path, partial(explain_reading, path=path, busy_timeout=busy_timeout), busy_timeout
    )
    try:
        await reader.call(configure_reader, busy_timeout)
    except BaseException:
        await reader.close()
        raise
    return reader
