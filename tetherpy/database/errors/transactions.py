"""Errors about a transaction."""

from tetherpy.errors import message

from .base import DatabaseArgumentError, DatabaseError

TRANSACTIONS = (
    "a {} is not a transaction: pass one of db.transaction(), a sqlite3.Connection, an aiosqlite.Connection, a "
    "Session, AsyncSession, Connection or AsyncConnection of SQLAlchemy, or a psycopg Connection or AsyncConnection"
)


@message(
    "{address} rolled the transaction back because it conflicts with another one ({detail!c}); "
    "nothing was written: run the whole transaction again. Transactions that lock rows, and enqueue unique "
    "keys, in the same order do not deadlock"
)
class TransactionConflictError(DatabaseError):
    """The server rolled the transaction back because it conflicts with another one.

    The conflict is a deadlock or a serialization failure.
    """

    address: str
    detail: str


@message(
    "run and transaction() begin and commit themselves: do not use BEGIN, COMMIT, ROLLBACK or executescript in "
    "them; to undo a part, use a savepoint or a nested transaction()"
)
class TransactionControlError(DatabaseError):
    """A function or statement tried to begin, commit or roll back the transaction it runs in."""


@message(
    "{call} commits separately, but this task has an open transaction on the same database and would wait "
    "for itself forever; use the methods of the transaction (tx.run, tx.execute, ...), or pass it to the call "
    "if that takes one (transaction=tx)"
)
class TransactionHeldError(DatabaseError):
    """The task has an open transaction and calls a method that commits separately: a deadlock with itself."""

    call: str


@message("this transaction has a nested transaction open in the same task; use the nested one until it ends")
class TransactionNestedError(DatabaseError):
    """The task used the outer transaction while its nested one was open."""


@message("the transaction is over ({reason}); nothing was written: begin a new one")
class TransactionOverError(DatabaseError):
    """The transaction has ended, or SQLite rolled it back after an error."""

    reason: str


class TransactionUnusableError(TransactionOverError):
    """The transaction that a call was given cannot be written in; ``advice`` says what to do."""

    def __init__(self, reason: str, advice: str) -> None:
        DatabaseError.__init__(self, f"the given transaction cannot be used: {reason}; nothing was written: {advice}")
        self.reason = reason
        self.advice = advice


class OtherDatabaseError(TransactionUnusableError):
    """The transaction that a call was given belongs to another database."""

    def __init__(self, given: str, wanted: str) -> None:
        super().__init__(f"it belongs to {given}, but this call to {wanted}", f"begin the transaction in {wanted}")
        self.given = given
        self.wanted = wanted


class NotATransactionError(DatabaseArgumentError):
    """The object is not a transaction of the app."""

    def __init__(self, value: object) -> None:
        super().__init__("transaction", value, TRANSACTIONS.format(type(value).__qualname__))
