"""Protocols that ``Database`` and ``PostgresDatabase`` both implement."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Protocol, Self

from .migrations import Migration
from .sqlite.connection import Parameters


class SqlRow(Protocol):
    """A row whose values are read by name, by index or by iteration."""

    def __getitem__(self, key: Any, /) -> Any:
        """Return the value of a column, given by name or index."""
        ...

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the values."""
        ...

    def __len__(self) -> int:
        """Count the columns."""
        ...

    def keys(self) -> Sequence[str]:
        """Return the names of the columns."""
        ...


class SqlExecuted(Protocol):
    """The result of a statement."""

    @property
    def rows(self) -> Sequence[SqlRow]:
        """Return the rows of a query or of a ``RETURNING`` clause."""
        ...

    @property
    def rowcount(self) -> int:
        """Return how many rows were inserted, updated or deleted; -1 for a statement that does none of these."""
        ...


class SqlStatements(Protocol):
    """Methods that run SQL with ``?`` or ``:name`` for values, on both databases."""

    async def execute(self, sql: str, parameters: Parameters = (), /) -> SqlExecuted:
        """Execute one statement."""
        ...

    async def execute_many(self, sql: str, parameters: Iterable[Parameters], /) -> int:
        """Execute a statement for each set of parameters; return how many rows changed."""
        ...

    async def get(self, sql: str, parameters: Parameters = (), /) -> SqlRow:
        """Return the first row; raises ``RowNotFoundError`` without one."""
        ...

    async def get_optional(self, sql: str, parameters: Parameters = (), /) -> SqlRow | None:
        """Return the first row, or None."""
        ...

    async def get_all(self, sql: str, parameters: Parameters = (), /) -> Sequence[SqlRow]:
        """Return all rows."""
        ...

    async def migrate(self, steps: Iterable[Migration], /) -> None:
        """Apply the migrations that are not applied yet."""
        ...


class SqlTransaction(SqlStatements, Protocol):
    """A transaction: committed at the end of its block, rolled back if an error leaves the block."""

    async def __aenter__(self) -> Self:
        """Begin it."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """End it."""
        ...


class SqlDatabase(SqlStatements, Protocol):
    """An open database: ``Database`` (SQLite) or ``PostgresDatabase``."""

    @property
    def address(self) -> str:
        """Return the path or URL of the database; a URL may contain a password."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[SqlTransaction]:
        """Return a transaction to enter; if the task has one open, the new one is nested in it."""
        ...

    async def aclose(self) -> None:
        """Close it."""
        ...
