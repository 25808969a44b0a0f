"""Migrations on PostgreSQL: in one transaction, one process at a time."""

from __future__ import annotations

from collections.abc import Iterable

import psycopg

from ..errors import MigrationFailedError
from ..migrations import TABLE, Migration, by_namespace, judge
from .connecting import Connection

_LOCK = 7_305_514_922_861
"""Names the advisory lock under which the schema is changed; any number does that nobody else uses."""
_CREATE = (
    f"CREATE TABLE IF NOT EXISTS {TABLE} (namespace text NOT NULL, version bigint NOT NULL, name text NOT NULL, "
    "checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (namespace, version))"
)
_READ = f"SELECT version, name, checksum FROM {TABLE} WHERE namespace = %s"  # noqa: S608  # a constant
_RECORD = f"INSERT INTO {TABLE} (namespace, version, name, checksum) VALUES (%s, %s, %s, %s)"  # noqa: S608  # a constant


async def migrate(connection: Connection, steps: Iterable[Migration]) -> None:
    """Apply what is missing in the connection's transaction, once no other process changes the schema."""
    await lock(connection)
    for namespace, ordered in by_namespace(steps).items():
        for step in judge(namespace, ordered, await applied(connection, namespace)):
            await _apply(connection, step)


async def lock(connection: Connection) -> None:
    """Wait until no other process changes the schema, to the end of the transaction; create the record."""
    await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
    await connection.execute(_CREATE.encode())


async def applied(connection: Connection, namespace: str) -> dict[int, tuple[str, str]]:
    """Return name and checksum of the migrations that are recorded, by version."""
    cursor = await connection.execute(_READ.encode(), (namespace,))
    return {version: (name, checksum) for version, name, checksum in await cursor.fetchall()}


async def record(connection: Connection, step: Migration) -> None:
    """Record a migration as applied."""
    await connection.execute(_RECORD.encode(), (step.namespace, step.version, step.name, step.checksum))


async def _apply(connection: Connection, step: Migration) -> None:
    try:
        await connection.execute(step.sql.encode())
    except psycopg.Error as error:
        raise MigrationFailedError(step.namespace, step.version, step.name, str(error)) from error
    await record(connection, step)
