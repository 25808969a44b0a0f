"""Offline persistence: keep a notifier's data in a storage and show it while the real data is loading.

What happens follows Riverpod's ``persist``.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic, Protocol, TypeVar

import attrs

from .async_value import AsyncData, AsyncError, AsyncValue
from .element import Element
from .errors import ReactiveError
from .propagation import set_value

K = TypeVar("K")
K_contra = TypeVar("K_contra", contravariant=True)
E = TypeVar("E")
T = TypeVar("T")


@attrs.frozen
class StorageOptions:
    """How data is kept.

    Attributes:
        cache_time: how long it may be read back; None keeps it for ever. Two days by default (Riverpod).
        destroy_key: data written under another key is void; change it when the format changes.
    """

    cache_time: timedelta | None = timedelta(days=2)
    destroy_key: str | None = None


DEFAULT_STORAGE: Final = StorageOptions()


@attrs.frozen
class PersistedData(Generic[E]):
    """What a storage gives back.

    Attributes:
        data: the encoded data.
        destroy_key: the one it was written under.
        expires_at: aware UTC time after which it must not be used, or None.
    """

    data: E
    destroy_key: str | None = None
    expires_at: datetime | None = None


class Storage(Protocol[K_contra, E]):
    """Where persisted data is kept."""

    async def read(self, key: K_contra) -> PersistedData[E] | None:
        """Return what is kept under a key, or None."""
        ...

    async def write(self, key: K_contra, data: E, options: StorageOptions) -> None:
        """Keep data under a key, in the place of what was kept there."""
        ...

    async def delete(self, key: K_contra) -> None:
        """Forget a key; one that is not kept is no error."""
        ...

    async def delete_out_of_date(self) -> None:
        """Forget everything whose time is over."""
        ...


def _now() -> datetime:
    return datetime.now(UTC)


def expiry(options: StorageOptions, now: datetime) -> datetime | None:
    """Return when data written now expires."""
    return None if options.cache_time is None else now + options.cache_time


class InMemoryStorage(Generic[K, E]):
    """A storage that lasts as long as the object: for tests.

    Args:
        clock: tells the time (aware).
    """

    def __init__(self, clock: Callable[[], datetime] = _now) -> None:
        self._clock = clock
        self.kept: dict[K, PersistedData[E]] = {}

    async def read(self, key: K) -> PersistedData[E] | None:
        """Return what is kept under a key, or None."""
        return self.kept.get(key)

    async def write(self, key: K, data: E, options: StorageOptions) -> None:
        """Keep data under a key."""
        self.kept[key] = PersistedData(data, options.destroy_key, expiry(options, self._clock()))

    async def delete(self, key: K) -> None:
        """Forget a key."""
        self.kept.pop(key, None)

    async def delete_out_of_date(self) -> None:
        """Forget everything whose time is over."""
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
            f"{first!r} and {second!r} both persist under the key {key!r}: each would read back what the other "
            "wrote. Give each provider its own key; members of a family put their arguments into it."
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
    storage: Storage[K, E] | Awaitable[Storage[K, E]],
    key: K,
    encode: Callable[[T], E],
    decode: Callable[[E], T],
    options: StorageOptions,
    clock: Callable[[], datetime] = _now,
) -> Awaitable[None]:
    """Tie an element's data to a storage for the current build; see AsyncNotifier.persist."""
    build = element.ref
    _claim(element, key)
    saver = _Saver(element, _Opened(storage), key, encode, options)
    build.listen_self(saver.save)
    if not build.is_first_build:
        return _nothing()
    task: Awaitable[None] = build.create_task(_restore(saver, decode, clock))
    return task


class _Opened(Generic[K, E]):
    """A storage that may have to be awaited, once."""

    def __init__(self, storage: Storage[K, E] | Awaitable[Storage[K, E]]) -> None:
        self._storage = storage

    async def get(self) -> Storage[K, E]:
        storage = self._storage
        if inspect.isawaitable(storage):
            self._storage = storage = await storage
        return storage


class _Saver(Generic[K, E, T]):
    """Writes states one after the other, the latest winning; what is begun is finished even after disposal."""

    def __init__(
        self,
        element: Element,
        storage: _Opened[K, E],
        key: K,
        encode: Callable[[T], E],
        options: StorageOptions,
    ) -> None:
        self.element = element
        self.storage = storage
        self.key = key
        self.options = options
        self.saved = False
        self._encode = encode
        self._waiting: AsyncValue[T] | None = None
        self._busy = False

    def save(self, previous: AsyncValue[T] | None, state: AsyncValue[T]) -> None:
        if isinstance(state, (AsyncData, AsyncError)) and not state.is_loading:
            self.saved = True
            self._waiting = state
            if not self._busy:
                self._busy = True
                self.element.host.in_background(self._write(), self.element.provider)

    async def _write(self) -> None:
        try:
            storage = await self.storage.get()
            while (state := self._waiting) is not None:
                self._waiting = None
                if isinstance(state, AsyncData):
                    await storage.write(self.key, self._encode(state.value), self.options)
                else:
                    await storage.delete(self.key)
        finally:
            self._busy = False


async def _restore(saver: _Saver[K, E, T], decode: Callable[[E], T], clock: Callable[[], datetime]) -> None:
    element = saver.element
    try:
        storage = await saver.storage.get()
        kept = await storage.read(saver.key)
        if kept is None or saver.saved:
            return
        expired = kept.expires_at is not None and kept.expires_at <= clock()
        if expired or kept.destroy_key != saver.options.destroy_key:
            await storage.delete(saver.key)
            return
        value = decode(kept.data)
    except Exception as error:
        # A cache that cannot be read must not keep the provider from loading.
        element.host.report(error, element.provider)
        return
    if element.ref is not None:
        set_value(element, element.value.cached(value))


def _claim(element: Element, key: object) -> None:
    """Remember the key on the notifier, and report a second provider that uses it."""
    for other in element.host.elements.values():
        if other is not element and getattr(other.notifier, "persist_key", None) == (key,):
            error = DuplicatePersistKeyError(key, (other.provider, element.provider))
            element.host.report(error, element.provider)
    element.notifier.persist_key = (key,)


async def _done() -> None:
    return None


class _Nothing:
    """An awaitable of nothing that need not be awaited."""

    def __await__(self) -> Any:
        return _done().__await__()


def _nothing() -> Awaitable[None]:
    return _Nothing()
