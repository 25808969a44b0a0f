"""What the databases of an app have in common, so that code which uses one runs on the other."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from .migrations import Migration
from .sqlite.connection import Parameters


class SqlRow(Protocol):
    """A row by name, by index and by iteration."""

    def __getitem__(self, key: Any, /) -> Any:
        """Return a value by its column's name or number."""
        ...

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the values."""
        ...

    def __len__(self) -> int:
        """Count the columns."""
        ...

    def keys(self) -> Sequence[str]:
        """Return the columns' names."""
        ...


class SqlStatements(Protocol):
    """Statements with ``?`` or ``:name`` for values, whichever database they are for."""

    async def execute(self, sql: str, parameters: Parameters = (), /) -> Any:
        """Execute one statement."""
        ...

    async def execute_many(self, sql: str, parameters: Iterable[Parameters], /) -> int:
        """Execute a statement for each set of parameters; return how many rows changed."""
        ...

    async def get(self, sql: str, parameters: Parameters = (), /) -> SqlRow:
        """Return the first row; ``RowNotFoundError`` if there is none."""
        ...

    async def get_optional(self, sql: str, parameters: Parameters = (), /) -> SqlRow | None:
        """Return the first row, or None."""
        ...

    async def get_all(self, sql: str, parameters: Parameters = (), /) -> Sequence[SqlRow]:
        """Return all rows."""
        ...

    async def migrate(self, steps: Iterable[Migration], /) -> None:
        """Apply those migrations that the database does not have yet."""
        ...


class SqlTransaction(SqlStatements, Protocol):
    """All or nothing: what its statements did is committed at its end, or undone if an error ends it."""


class SqlDatabase(SqlStatements, Protocol):
    """An open database: ``Database`` (SQLite) or ``PostgresDatabase``."""

    @property
    def address(self) -> str:
        """Return what opens it again: a path or a URL, which may hold a password."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[SqlTransaction]:
        """Return a transaction to enter; in a task that has one open it is a nested one."""
        ...

    async def aclose(self) -> None:
        """Close it."""
        ...
