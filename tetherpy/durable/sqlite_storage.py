"""``SqliteStorage``: offline persistence of notifiers in the app's own database."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final, Self

from tetherpy.database import Database, Migration
from tetherpy.reactive import PersistedData, StorageOptions

STORAGE_MIGRATIONS: Final = (
    Migration(
        1,
        "persisted notifiers",
        "CREATE TABLE tetherpy_storage (key TEXT PRIMARY KEY, data TEXT NOT NULL, destroy_key TEXT, expires_at TEXT) "
        "WITHOUT ROWID",
        namespace="storage",
    ),
    Migration(
        2,
        "versions of persisted data",
        "ALTER TABLE tetherpy_storage ADD COLUMN version INTEGER NOT NULL DEFAULT 0",
        namespace="storage",
    ),
)
"""The migrations of SqliteStorage's table; it applies them itself, or an app passes them to Database.open."""


def _now() -> datetime:
    return datetime.now(UTC)


class SqliteStorage:
    """Keeps text under text keys in a table of the database; several processes may share it.

    ``SqliteStorage.open(path)`` opens the database too.

    Args:
        db: the open database of the app. The table is created at its first use.
        clock: returns the current time as an aware datetime.
    """

    def __init__(self, db: Database, *, clock: Callable[[], datetime] = _now) -> None:
        self._db = db
        self._clock = clock
        self._prepared = False

    @classmethod
    @asynccontextmanager
    async def open(cls, path: str | os.PathLike[str]) -> AsyncGenerator[Self]:
        """Open the file of a storage, and close it at the end of the block; errors are those of ``Database.open``."""
        async with Database.open(path) as db:
            yield cls(db)

    async def read(self, key: str) -> PersistedData[str] | None:
        """Return the data under a key, or None; expired data is returned too, with its expiry time."""
        await self._prepare()
        row = await self._db.get_optional(
            "SELECT data, destroy_key, expires_at, version FROM tetherpy_storage WHERE key = ?", (key,)
        )
        if row is None:
            return None
        expires_at = None if row["expires_at"] is None else datetime.fromisoformat(row["expires_at"])
        return PersistedData(row["data"], row["destroy_key"], expires_at, row["version"])

    async def write(self, key: str, data: str, options: StorageOptions) -> None:
        """Store data under a key; durable when this returns."""
        await self._prepare()
        expires_at = None if options.cache_time is None else _text(self._clock() + options.cache_time)
        await self._db.execute(
            "INSERT INTO tetherpy_storage VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET "
            "data = excluded.data, destroy_key = excluded.destroy_key, expires_at = excluded.expires_at, "
            "version = excluded.version",
            (key, data, options.destroy_key, expires_at, options.version),
        )

    async def delete(self, key: str) -> None:
        """Delete a key; a missing one is not an error."""
        await self._prepare()
        await self._db.execute("DELETE FROM tetherpy_storage WHERE key = ?", (key,))

    async def delete_out_of_date(self) -> None:
        """Delete all expired data."""
        await self._prepare()
        await self._db.execute("DELETE FROM tetherpy_storage WHERE expires_at <= ?", (_text(self._clock()),))

    async def _prepare(self) -> None:
        if not self._prepared:
            await self._db.migrate(STORAGE_MIGRATIONS)
            self._prepared = True


def _text(instant: datetime) -> str:
    """Return an instant as text that sorts as instants do: UTC, fixed width."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds")
