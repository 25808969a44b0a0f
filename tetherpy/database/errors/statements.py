"""Errors about a statement."""

from tetherpy.errors import clause

from .base import DatabaseError


class RowNotFoundError(DatabaseError):
    """``get`` found no row."""

    def __init__(self, sql: str) -> None:
        super().__init__(
            f"no row for {sql!r}; use get_optional if the query may return no row",
        )
        self.sql = sql


class ReadTimeoutError(DatabaseError, TimeoutError):
    """A long read took longer than its time limit."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"a read was interrupted after {seconds:g} s, because it delays other reads and keeps the log from being "
            "reset; make it read fewer rows (jobs: filter by status, key, cursor or dates, with a limit)"
        )
        self.seconds = seconds


class WriteOnReaderError(DatabaseError):
    """A call that reads was given a statement that writes."""

    def __init__(self) -> None:
        super().__init__(
            "get, get_all, get_optional, read and watch use a connection that cannot write; "
            "use execute, execute_many, run or a transaction for statements that change something"
        )


class StatementTimeoutError(DatabaseError, TimeoutError):
    """The server cancelled a statement, because of its ``statement_timeout`` or because an administrator asked."""

    def __init__(self, address: str, detail: str) -> None:
        super().__init__(
            f"{address} cancelled a statement ({clause(detail.strip())}); its transaction is rolled back: run it again "
            "with less work, or raise statement_timeout for the role"
        )
        self.address = address
        self.detail = detail
