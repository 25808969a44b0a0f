"""Offline persistence: store a notifier's data, and show the stored data while new data is loading.

Behaviour follows Riverpod's ``persist``, with one difference: an error deletes nothing.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic, Protocol, TypeVar
from weakref import WeakValueDictionary

import attrs

from tetherpy.durations import to_optional_span
from tetherpy.errors import safe_repr

from .asynchronous.async_value import AsyncData, AsyncError, AsyncValue
from .asynchronous.pending_changes import confirmed_state
from .errors import ReactiveArgumentError, ReactiveError
from .graph.element import NO_VALUE, Element
from .graph.node_states import BUILDING
from .graph.updates.set_value import set_value
from .lifecycle.event_loop import running_loop
from .storage_writer import Change, Writer

K = TypeVar("K")
K_contra = TypeVar("K_contra", contravariant=True)
E = TypeVar("E")
T = TypeVar("T")


def _cache_time(value: timedelta | float | None) -> timedelta | None:
    return to_optional_span("StorageOptions.cache_time", value)


@attrs.frozen(kw_only=True)
class StorageOptions:
    """Options of stored data.

    Attributes:
        cache_time: how long stored data is valid, a timedelta or seconds; None keeps it forever. Two days by
            default (Riverpod).
        destroy_key: data stored with another key is discarded; change it when the format changes.
    """

    cache_time: timedelta | None = attrs.field(default=timedelta(days=2), converter=_cache_time)
    destroy_key: str | None = None


DEFAULT_STORAGE: Final = StorageOptions()


@attrs.frozen
class PersistedData(Generic[E]):
    """Data read from a storage.

    Attributes:
        data: the encoded data.
        destroy_key: the destroy key it was written with.
        expires_at: aware UTC time after which it must not be used, or None.
    """

    data: E
    destroy_key: str | None = None
    expires_at: datetime | None = None


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


def _now() -> datetime:
    return datetime.now(UTC)


def expiry(options: StorageOptions, now: datetime) -> datetime | None:
    """Return when data written now expires."""
    return None if options.cache_time is None else now + options.cache_time


class InMemoryStorage(Generic[K, E]):
    """A storage in memory, for tests.

    Args:
        clock: returns the current time (aware).
    """

    def __init__(self, *, clock: Callable[[], datetime] = _now) -> None:
        self._clock = clock
        self.kept: dict[K, PersistedData[E]] = {}

    async def read(self, key: K) -> PersistedData[E] | None:
        """Return the data stored under a key, or None."""
        return self.kept.get(key)

    async def write(self, key: K, data: E, options: StorageOptions) -> None:
        """Store data under a key."""
        self.kept[key] = PersistedData(data, options.destroy_key, expiry(options, self._clock()))

    async def delete(self, key: K) -> None:
        """Delete a key."""
        self.kept.pop(key, None)

    async def delete_out_of_date(self) -> None:
        """Delete all expired data."""
        now = self._clock()
        self.kept = {
            key: entry for key, entry in self.kept.items() if entry.expires_at is None or entry.expires_at > now
        }


class DuplicatePersistKeyError(ReactiveError):
    """Reported when two live providers persist under the same key.

    Attributes:
        key: the key.
        providers: both providers.
    """

    def __init__(self, key: object, providers: tuple[Any, Any]) -> None:
        first, second = providers
        super().__init__(
            f"{first!r} and {second!r} both persist under the key {safe_repr(key)}: each would read the data of the "
            "other. Give each provider a different key; in a family, include the arguments in the key."
        )
        self.key = key
        self.providers = providers


def to_json(value: Any) -> Any:
    """Encode as JSON text."""
    return json.dumps(value, separators=(",", ":"))


def from_json(data: Any) -> Any:
    """Decode JSON text."""
    return json.loads(data)


def persist(
    element: Element,
    writers: dict[Any, Writer],
    storage: Storage[K, E] | Awaitable[Storage[K, E]],
    key: K,
    encode: Callable[[T], E],
    decode: Callable[[E], T],
    options: StorageOptions,
    clock: Callable[[], datetime] = _now,
) -> Awaitable[None]:
    """Persist an element's data during the current build; see AsyncNotifier.persist.

    ``writers`` are the writers used by earlier builds of the notifier, by key.
    """
    build = element.ref
    writer = writers[key] = _writer(element, key)
    keeper = _Keeper(element, writer, key, _Opening(storage), encode, options)
    build.listen_self(keeper.heard)
    build.on_dispose(keeper.ended)
    if keeper.has_data:
        return _Nothing()
    task: Awaitable[None] = build.create_task(keeper.restore(decode, clock))
    return task


class _Opening(Generic[K, E]):
    """A storage that may be an awaitable; it is awaited once for all users."""

    __slots__ = ("_storage", "_task")

    def __init__(self, storage: Storage[K, E] | Awaitable[Storage[K, E]]) -> None:
        self._storage = storage
        self._task: asyncio.Task[Storage[K, E]] | None = None

    async def get(self) -> Storage[K, E]:
        """Return the storage; cancelling one caller does not disturb the others."""
        storage = self._storage
        if not inspect.isawaitable(storage):
            return storage
        task = self._task
        if task is None or task.cancelled() or not (task.done() or self._opens_here(task)):
            task = self._task = asyncio.create_task(_awaited(storage))
        return await asyncio.shield(task)

    @property
    def is_open(self) -> bool:
        """Whether ``give_up`` has no work: no unawaited coroutine, and no task that awaits one."""
        if self._task is None:
            return not inspect.iscoroutine(self._storage)
        return self._task.done() or not self._opens_here(self._task)

    async def give_up(self) -> None:
        """Cancel the opening of the storage if it has not finished."""
        if self._task is None:
            if inspect.iscoroutine(self._storage):
                self._storage.close()
        elif not self.is_open:
            self._task.cancel()
            await asyncio.wait([self._task])

    @staticmethod
    def _opens_here(task: asyncio.Task[Any]) -> bool:
        return task.get_loop() is running_loop()


class _Keeper(Generic[K, E, T]):
    """Stores the data of a provider during one build."""

    __slots__ = ("_build", "_encode", "_key", "_options", "_storage", "_writer", "element")

    def __init__(
        self,
        element: Element,
        writer: Writer,
        key: K,
        storage: _Opening[K, E],
        encode: Callable[[T], E],
        options: StorageOptions,
    ) -> None:
        self.element = element
        self._build = element.ref
        self._writer = writer
        self._key = key
        self._storage = storage
        self._encode = encode
        self._options = options
        writer.keepers.append(self)
        self._keep_newest(None)

    @property
    def has_data(self) -> bool:
        """Whether the provider has data, so that the storage need not be read."""
        state = self.element.value
        return state is not NO_VALUE and bool(state.has_value)

    def heard(self, previous: object, state: object) -> None:
        """Store the newest data; the announced state is older if a listener has set the state again."""
        self._keep_newest(state)

    def ended(self) -> Awaitable[None] | None:
        """Store data that was set but not announced before the build ended, and finish."""
        self._keep_newest(None)
        self._writer.keepers.remove(self)
        is_writing = self._writer.finish()
        return self._finish() if is_writing or not self._storage.is_open else None

    async def restore(self, decode: Callable[[E], T], clock: Callable[[], datetime]) -> None:
        """Show the stored data, unless the provider already has data when it is read."""
        element = self.element
        if element.state == BUILDING:
            await asyncio.sleep(0)  # an eager task: the build that started it has not ended
        try:
            await self._writer.settle()  # an earlier provider may still be writing under this key
            storage = await self._storage.get()
            kept = await storage.read(self._key)
            if kept is None or self.has_data:
                return
            expired = kept.expires_at is not None and kept.expires_at <= clock()
            if expired or kept.destroy_key != self._options.destroy_key:
                self._writer.put(Change(element.host, element.provider, self._delete))
                await self._writer.settle()
                return
            value = decode(kept.data)
        except Exception as error:
            # A cache that cannot be read must not keep the provider from loading.
            element.host.report(error, element.provider)
            return
        if element.ref is self._build:
            pending = element.notifier.pending_changes
            state: AsyncValue[Any] = element.value if pending is None else pending.base
            cached = state.cached(value)
            failed = isinstance(state, AsyncError) and not state.is_loading
            restored = state.copy_with_previous(cached) if failed else cached
            set_value(element, restored if pending is None else pending.take(restored))

    def _keep_newest(self, announced: object) -> None:
        """Write the provider's data if it is new.

        A later loading or error state keeps the stored data: an app that starts without a network shows the data of
        its last run.
        """
        state: AsyncValue[Any] = confirmed_state(self.element)
        if state is NO_VALUE or not state.has_value or state.is_from_cache:
            return
        data: Any = state.value
        # After a change in place, the same object is announced again.
        is_changed = state is announced and isinstance(state, AsyncData) and not state.is_loading
        if is_changed or not self._writer.has(data):

            async def write() -> None:
                storage = await self._storage.get()
                await storage.write(self._key, self._encode(data), self._options)

            self._writer.put(Change(self.element.host, self.element.provider, write, data))

    async def _delete(self) -> None:
        await (await self._storage.get()).delete(self._key)

    async def _finish(self) -> None:
        await self._writer.settle()
        await self._storage.give_up()


def _writer(element: Element, key: object) -> Writer:
    """Return the writer of a key, and report a second provider that uses the key."""
    host = element.host
    writers = host.writers
    if writers is None:
        writers = host.writers = WeakValueDictionary()
    try:
        writer = writers.get(key)
    except TypeError as error:
        raise ReactiveArgumentError("persist(key=...)", key, "it must be hashable, such as text") from error
    if writer is None:
        writer = writers[key] = Writer()
    for other in writer.keepers:
        if other.element is not element:
            duplicate = DuplicatePersistKeyError(key, (other.element.provider, element.provider))
            host.report(duplicate, element.provider)
    return writer


async def _awaited(storage: Awaitable[Storage[K, E]]) -> Storage[K, E]:
    return await storage


async def _done() -> None:
    return None


class _Nothing:
    """A no-op awaitable, for which no coroutine exists until it is awaited."""

    def __await__(self) -> Any:
        return _done().__await__()
