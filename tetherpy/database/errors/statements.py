"""Errors about a statement."""

from tetherpy.errors import message

from .base import DatabaseError


@message("no row for {sql!r}; use get_optional if the query may return no row")
class RowNotFoundError(DatabaseError):
    """``get`` found no row."""

    sql: str


@message(
    "a read was interrupted after {seconds:g} s, because it delays other reads and keeps the log from being "
    "reset; make it read fewer rows (jobs: filter by status, key, cursor or dates, with a limit)"
)
class ReadTimeoutError(DatabaseError, TimeoutError):
    """A long read took longer than its time limit."""

    seconds: float


@message(
    "get, get_all, get_optional, read and watch use a connection that cannot write; "
    "use execute, execute_many, run or a transaction for statements that change something"
)
class WriteOnReaderError(DatabaseError):
    """A call that reads was given a statement that writes."""


@message(
    "{address} cancelled a statement ({detail!c}); its transaction is rolled back: run it again "
    "with less work, or raise statement_timeout for the role"
)
class StatementTimeoutError(DatabaseError, TimeoutError):
    """The server cancelled a statement, because of its ``statement_timeout`` or because an administrator asked."""

    address: str
    detail: str
