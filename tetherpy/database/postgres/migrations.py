"""Migrations on PostgreSQL: in one transaction, by one process at a time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager

import psycopg

from ..errors import MigrationFailedError
from ..migrations import TABLE, Migration, by_namespace, find_missing
from .connection import Connection

_LOCK = 7_305_514_922_861
"""The number of the advisory lock for schema changes; it is arbitrary and must be unused otherwise."""
LOCK_SECONDS = 0.5
"""Maximum wait for a lock during a schema change: other statements queue up behind the wait."""
PAUSE_SECONDS = 0.5
"""Pause after a lock timeout before the next attempt, so that other statements can run."""
SCHEMA_TIMEOUT_SECONDS = 60.0
"""How long a schema change is tried again while transactions hold locks that it needs."""
_NOT_OF_THE_SQL = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.QueryCanceled,
)
_TIMEOUTS = [
    "statement_timeout",
    "transaction_timeout",
    "idle_in_transaction_session_timeout",
    "lock_timeout",
]
"""Limits of the role, the database or the session that are meant for the app's statements."""
_CREATE = (
    f"CREATE TABLE IF NOT EXISTS {TABLE} (namespace text NOT NULL, version bigint NOT NULL, name text NOT NULL, "
    "checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (namespace, version))"
)
_READ = f"SELECT version, name, checksum FROM {TABLE} WHERE namespace = %s"  # noqa: S608  # a constant
_TIMEOUTS_OFF = "SELECT name, current_setting(name), set_config(name, '0', true) FROM pg_settings WHERE name = ANY (%s)"
_WAIT_FOR_LOCKS = "SELECT set_config('lock_timeout', %s, true)"
_SET_BACK = "SELECT set_config(name, value, true) FROM unnest(%s::text[], %s::text[]) AS before (name, value)"
_RECORD = f"INSERT INTO {TABLE} (namespace, version, name, checksum) VALUES (%s, %s, %s, %s)"  # noqa: S608  # a constant


async def migrate(connection: Connection, steps: Iterable[Migration]) -> None:
    """Apply missing migrations in the connection's transaction, within ``changing``.

    Raises ``LockNotAvailable`` or ``DeadlockDetected`` if another transaction holds a lock that a step needs.
    """
    for namespace, ordered in by_namespace(steps).items():
        for step in find_missing(namespace, ordered, await applied(connection, namespace)):
            await _apply(connection, step)


@asynccontextmanager
async def changing(connection: Connection) -> AsyncGenerator[None]:
    """Take the lock for schema changes until the end of the transaction, and create the table of migrations.

    Statements of the block wait at most ``LOCK_SECONDS`` for a lock. The timeouts of the role do not apply.
    """
    before = await (await connection.execute(_TIMEOUTS_OFF, (_TIMEOUTS,))).fetchall()
    await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
    await connection.execute(_CREATE.encode())
    await connection.execute(_WAIT_FOR_LOCKS, (f"{LOCK_SECONDS * 1000:.0f}ms",))
    yield
    await connection.execute(_SET_BACK, ([name for name, _, _ in before], [value for _, value, _ in before]))


async def applied(connection: Connection, namespace: str) -> dict[int, tuple[str, str]]:
    """Return name and checksum of the applied migrations, by version."""
    cursor = await connection.execute(_READ.encode(), (namespace,))
    return {version: (name, checksum) for version, name, checksum in await cursor.fetchall()}


async def record(connection: Connection, step: Migration) -> None:
    """Record a migration as applied."""
    await connection.execute(_RECORD.encode(), (step.namespace, step.version, step.name, step.checksum))


async def _apply(connection: Connection, step: Migration) -> None:
    try:
        await connection.execute(step.sql.encode())
    except _NOT_OF_THE_SQL:
        raise
    except psycopg.Error as error:
        raise MigrationFailedError(step.namespace, step.version, step.name, str(error)) from error
    await record(connection, step)
