"""Storages of persisted data, and their options."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, Generic, Protocol, TypeVar

import attrs

from tetherpy.durations import to_optional_span

K = TypeVar("K")
K_contra = TypeVar("K_contra", contravariant=True)
E = TypeVar("E")


def _cache_time(value: timedelta | float | None) -> timedelta | None:
    return to_optional_span("StorageOptions.cache_time", value)


@attrs.frozen(kw_only=True)
class StorageOptions:
    """Options of stored data.

    Attributes:
        cache_time: how long stored data is valid, a timedelta or seconds; None keeps it forever. Two days by
            default (Riverpod).
        destroy_key: data stored with another key is discarded.
        version: the version of the data's schema; set by ``persist(version=...)``.
    """

    cache_time: timedelta | None = attrs.field(default=timedelta(days=2), converter=_cache_time)
    destroy_key: str | None = None
    version: int = 0


DEFAULT_STORAGE: Final = StorageOptions()
"""The options of data that is loaded again."""

FOREVER: Final = StorageOptions(cache_time=None)
"""The options of state that exists nowhere else."""


@attrs.frozen
class PersistedData(Generic[E]):
    """Data read from a storage.

    Attributes:
        data: the encoded data.
        destroy_key: the destroy key it was written with.
        expires_at: aware UTC time after which it must not be used, or None.
        version: the version of the schema it was written with.
    """

    data: E
    destroy_key: str | None = None
    expires_at: datetime | None = None
    version: int = 0


class Storage(Protocol[K_contra, E]):
    """A key-value store for persisted data."""

    async def read(self, key: K_contra) -> PersistedData[E] | None:
        """Return the data stored under a key, or None."""
        ...

    async def write(self, key: K_contra, data: E, options: StorageOptions) -> None:
        """Store data under a key, replacing older data."""
        ...

    async def delete(self, key: K_contra) -> None:
        """Delete a key; an unknown key is ignored."""
        ...

    async def delete_out_of_date(self) -> None:
        """Delete all expired data."""
        ...


def now() -> datetime:
    """Return the current time as an aware datetime."""
    return datetime.now(UTC)


def expiry(options: StorageOptions, now: datetime) -> datetime | None:
    """Return when data written now expires."""
    return None if options.cache_time is None else now + options.cache_time


class InMemoryStorage(Generic[K, E]):
    """A storage in memory, for tests.

    Args:
        clock: returns the current time (aware).
    """

    def __init__(self, *, clock: Callable[[], datetime] = now) -> None:
        self._clock = clock
        self.kept: dict[K, PersistedData[E]] = {}

    async def read(self, key: K) -> PersistedData[E] | None:
        """Return the data stored under a key, or None."""
        return self.kept.get(key)

    async def write(self, key: K, data: E, options: StorageOptions) -> None:
        """Store data under a key."""
        self.kept[key] = PersistedData(data, options.destroy_key, expiry(options, self._clock()), options.version)

    async def delete(self, key: K) -> None:
        """Delete a key."""
        self.kept.pop(key, None)

    async def delete_out_of_date(self) -> None:
        """Delete all expired data."""
        now = self._clock()
        self.kept = {
            key: entry for key, entry in self.kept.items() if entry.expires_at is None or entry.expires_at > now
        }
