"""Transactions on the writer's thread, and group commit: many operations in one transaction."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import attrs

from tetherpy.wait_queue import Waiter

from ..errors import TransactionOverError
from .busy_timeout import within_busy_timeout
from .changes.table_versions import record
from .connection import ROLLED_BACK, TrackedConnection
from .execution import in_snapshot


@attrs.frozen(eq=False)
class Operation:
    """A function to run in a transaction.

    ``answer`` is called before the transaction begins. If it returns a result, the function is not needed.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]
    answer: Callable[[sqlite3.Connection], Any] | None = None


Committed: TypeAlias = Callable[[TrackedConnection], None]
"""Called on the writer's thread after a commit that changed something."""
Caller: TypeAlias = Waiter[Operation, Any]
"""A task that waits for the result of its operation."""


@attrs.frozen
class Outcome:
    """The result or the error of an operation."""

    value: Any = None
    error: BaseException | None = None


def begin(connection: TrackedConnection, busy_timeout: float, wanted: Callable[[], bool]) -> None:
    """Take the write lock; wait for it while it is ``wanted``, ``busy_timeout`` seconds at most."""
    within_busy_timeout(lambda: connection.control("BEGIN IMMEDIATE"), busy_timeout, wanted)
    connection.table_accesses.begin(connection.total_changes)


def commit(connection: TrackedConnection, committed: Committed) -> None:
    """Commit; if the transaction changed tables, raise their versions and call ``committed``."""
    demand_transaction(connection)
    changed = connection.table_accesses.changed_tables(connection.total_changes)
    try:
        if changed:
            record(connection, changed)
        connection.control("COMMIT")
    except BaseException:
        rollback(connection)
        raise
    if changed:
        committed(connection)


def rollback(connection: TrackedConnection) -> None:
    """Roll back, unless SQLite already did (as it does when the disk is full)."""
    if connection.in_transaction:
        connection.control("ROLLBACK")


def save(connection: TrackedConnection, depth: int) -> None:
    """Set the savepoint for :func:`restore`."""
    demand_transaction(connection)
    connection.control(f"SAVEPOINT tetherpy_{depth}")


def release(connection: TrackedConnection, depth: int) -> None:
    """Release the savepoint; its changes belong to the surrounding transaction now."""
    demand_transaction(connection)
    connection.control(f"RELEASE tetherpy_{depth}")


def restore(connection: TrackedConnection, depth: int) -> None:
    """Roll back to the savepoint, unless SQLite has rolled back the whole transaction."""
    if connection.in_transaction:
        connection.control(f"ROLLBACK TO tetherpy_{depth}")
        connection.control(f"RELEASE tetherpy_{depth}")


def demand_transaction(connection: TrackedConnection) -> None:
    """Raise ``TransactionOverError`` if SQLite has rolled back: a statement would now be committed separately."""
    if not connection.in_transaction:
        raise TransactionOverError(ROLLED_BACK)


def guarded(connection: TrackedConnection, function: Callable[..., Any], args: Sequence[Any]) -> Any:
    """Run a function of a caller in the open transaction, which it cannot end."""
    demand_transaction(connection)
    with connection.guard():
        return function(connection, *args)


def _answers(connection: TrackedConnection, callers: Sequence[Caller]) -> list[Outcome] | None:
    """Return the outcomes of operations if none of them has to write, else None."""
    outcomes: list[Outcome] = []
    for caller in callers:
        outcome = Outcome() if caller.gone else _answer(connection, caller.wish)
        if outcome is None:
            return None
        outcomes.append(outcome)
    return outcomes


def _answer(connection: TrackedConnection, operation: Operation) -> Outcome | None:
    if operation.answer is None:
        return None
    try:
        value = in_snapshot(connection, operation.answer, ())
    except BaseException as error:  # raised in the caller's task
        return Outcome(error=error)
    return None if value is None else Outcome(value)


def commit_together(
    connection: TrackedConnection,
    callers: Sequence[Caller],
    busy_timeout: float,
    committed: Committed,
) -> list[Outcome]:
    """Run all operations in one transaction; if one fails, run each separately, so that only its caller sees the error.

    One transaction for all means one sync and one change signal. Running them again costs less than one savepoint
    for each. An operation whose caller was cancelled before it began is left out.
    """

    def wanted() -> bool:
        return not all(caller.gone for caller in callers)

    if (answered := _answers(connection, callers)) is not None:
        return answered
    try:
        begin(connection, busy_timeout, wanted)
    except sqlite3.Error as error:
        return [Outcome(error=error) for _ in callers]
    try:
        outcomes = [
            Outcome() if caller.gone else Outcome(guarded(connection, caller.wish.function, caller.wish.args))
            for caller in callers
        ]
        commit(connection, committed)
    except BaseException as error:  # raised in the caller's task
        rollback(connection)
        if len(callers) == 1:
            return [Outcome(error=error)]
    else:
        return outcomes
    return [commit_together(connection, [caller], busy_timeout, committed)[0] for caller in callers]
