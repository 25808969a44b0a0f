"""Live queries: run a query again after each commit that changed a table it reads."""

import asyncio
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import attrs

from tetherpy.subscribers import Subscribers, call_subscriber

from ...errors import DatabaseReplacedError
from ..connection import Parameters, Row, TrackedConnection
from ..connection_thread import ConnectionThread
from ..execution import fetch_all
from .change_feed import ChangeFeed
from .table_access import SCHEMA_TABLE


@attrs.define(eq=False)
class Observer:
    """The callbacks of one subscription; ``primed`` is True after its first rows."""

    on_next: Callable[[list[Row]], None]
    on_error: Callable[[Exception], None]
    on_completed: Callable[[], None]
    primed: bool = False


@attrs.frozen
class Query:
    """A query and its throttle in seconds; equal queries are run once for all their observers."""

    sql: str
    parameters: Parameters
    throttle: float

    def key(self) -> Hashable:
        """Return a key that equal queries share; 1, 1.0 and True are equal in Python and not in SQLite."""
        given = self.parameters
        pairs: list[tuple[Any, Any]] = sorted(given.items()) if isinstance(given, Mapping) else list(enumerate(given))
        key = self.sql, self.throttle, *((name, value.__class__, value) for name, value in pairs)
        try:
            hash(key)
        except TypeError:
            return object()
        return key


def rows_and_tables(connection: TrackedConnection, query: Query) -> tuple[list[Row], frozenset[str]]:
    """Run a query; return its rows and the tables it reads, the schema table included."""
    rows = fetch_all(connection, query.sql, query.parameters)
    return rows, frozenset(connection.table_accesses.of(query.sql).reads) | {SCHEMA_TABLE}


@attrs.define(eq=False)
class LiveQuery:
    """One query, run for all its observers while there is one; rows equal to the last ones are not sent again."""

    _query: Query
    _reader: ConnectionThread
    _feed: ChangeFeed
    _idle: Callable[[], None]
    _observers: Subscribers[Observer] = attrs.field(
        init=False, default=attrs.Factory(lambda self: Subscribers(self._start, self._stop), takes_self=True)
    )
    _rows: list[Row] | None = None
    _tables: frozenset[str] = frozenset()
    _dirty: asyncio.Event = attrs.Factory(asyncio.Event)
    _task: "asyncio.Task[None] | None" = None

    def subscribe(self, observer: Observer) -> Callable[[], None]:
        """Send the current rows and each later change to ``observer``; return the function that stops it."""
        self._dirty.set()
        return self._observers.add(observer)

    def _start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._live())

    def _stop(self) -> None:
        self._idle()
        self._dirty.set()
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()

    async def _live(self) -> None:
        stopped: Callable[[], None] | None = None
        try:
            stopped = self._feed.add(self._changed, self._closed)
            await self._query_while_watched()
        except Exception as error:  # passed to the observers
            self._fail(error)
        finally:
            if stopped is not None:
                stopped()

    async def _query_while_watched(self) -> None:
        loop = asyncio.get_running_loop()
        # Wait for reports of earlier commits: the query sees those, and a later report would run it again.
        await self._feed.caught_up()
        while self._observers:
            self._dirty.clear()
            started = loop.time()
            rows, self._tables = await self._reader.call(rows_and_tables, self._query)
            self._send(rows)
            await self._dirty.wait()
            if (rest := started + self._query.throttle - loop.time()) > 0:
                await asyncio.sleep(rest)

    def _changed(self, tables: frozenset[str]) -> None:
        if not self._tables.isdisjoint(tables):
            self._dirty.set()

    def _send(self, rows: list[Row]) -> None:
        changed = rows != self._rows
        self._rows = rows
        for observer in self._observers:
            if changed or not observer.primed:
                observer.primed = True
                call_subscriber("a live query", observer.on_next, list(rows))

    def _closed(self) -> None:
        end = self._reader.end()
        if isinstance(end, DatabaseReplacedError):
            self._fail(end)
            return
        for observer in self._observers.take_all():
            call_subscriber("a live query", observer.on_completed)

    def _fail(self, error: Exception) -> None:
        for observer in self._observers.take_all():
            call_subscriber("a live query", observer.on_error, error)
