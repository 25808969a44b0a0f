"""Offline persistence: store the state of a notifier, and show the stored state at the next start.

Behaviour follows Riverpod's ``persist``, with one difference: an error deletes nothing.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

from ..asynchronous.async_value import AsyncData, AsyncError, AsyncValue
from ..asynchronous.pending_changes import confirmed_state
from ..asynchronous.promise import Promise
from ..errors import DuplicatePersistKeyError, NewerDataError, ReactiveArgumentError
from ..graph.element import NO_VALUE, Element
from ..graph.node_states import BUILDING
from ..graph.updates.set_value import set_value
from ..lifecycle.running_loop import running_loop
from .codec import Codec
from .storage import PersistedData, Storage, StorageOptions, now
from .storage_writer import Change, Writer

K = TypeVar("K")
E = TypeVar("E")
T = TypeVar("T")


def persist(
    element: Element,
    writers: dict[Any, Writer],
    storage: Storage[K, E] | Awaitable[Storage[K, E]],
    key: K,
    codec: Codec,
    options: StorageOptions,
) -> Awaitable[None]:
    """Persist an element during the current build; see ``AsyncNotifier.persist`` and ``Notifier.persist``.

    ``writers`` are the writers used by earlier builds of the notifier, by key.
    """
    writer = writers[key] = _writer(element, key)
    kind = _StateKeeper[K, E] if element.flow is None else _Keeper[K, E]
    keeper = kind(element, writer, key, _Opening(storage), codec, options)
    element.ref.on_dispose(keeper.ended)
    return keeper.begin()


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


class _Keeper(Generic[K, E]):
    """Stores the data of an asynchronous provider during one build."""

    __slots__ = ("_build", "_codec", "_key", "_options", "_storage", "_writer", "element")

    def __init__(
        self,
        element: Element,
        writer: Writer,
        key: K,
        storage: _Opening[K, E],
        codec: Codec,
        options: StorageOptions,
    ) -> None:
        self.element = element
        self._build = element.ref
        self._writer = writer
        self._key = key
        self._storage = storage
        self._codec = codec
        self._options = options
        writer.keepers.append(self)

    @property
    def has_data(self) -> bool:
        """Whether the provider has data, so that the storage need not be read."""
        state = self.element.value
        return state is not NO_VALUE and bool(state.has_value)

    def begin(self) -> Awaitable[None]:
        """Store the data of each state, and start to read the stored data; return when it was read."""
        self.edited()
        self._build.listen_self(self._heard)
        if self.has_data:
            return _Nothing()
        task: Awaitable[None] = self._build.create_task(self.restore())
        return task

    def _heard(self, previous: object, state: object) -> None:
        """Store the newest data; the announced state is older if a listener has set the state again."""
        self._keep_newest(state)

    def edited(self) -> None:
        """Store the newest data."""
        self._keep_newest(None)

    def ended(self) -> Awaitable[None] | None:
        """Store data that was set but not announced before the build ended, and finish."""
        self._keep_newest(None)
        return self._end()

    def _end(self) -> Awaitable[None] | None:
        self._writer.keepers.remove(self)
        is_writing = self._writer.finish()
        return self._finish() if is_writing or not self._storage.is_open else None

    async def restore(self) -> None:
        """Show the stored data, unless the provider already has data when it is read."""
        element = self.element
        if element.state == BUILDING:
            await asyncio.sleep(0)  # an eager task: the build that started it has not ended
        try:
            await self._writer.settle()  # an earlier provider may still be writing under this key
            storage = await self._storage.get()
            kept = await self._read(storage)
            if self._refuses(kept) or kept is None or self.has_data:
                return
            expired = kept.expires_at is not None and kept.expires_at <= now()
            if expired or kept.destroy_key != self._options.destroy_key:
                self._writer.put(Change(element.host, element.provider, self._delete))
                await self._writer.settle()
                return
            value = self._codec.decode(self._migrated(kept))
        except Exception as error:
            # A cache that cannot be read must not keep the provider from loading.
            element.host.report(error, element.provider)
            return
        if element.ref is self._build:
            self._show(value)

    async def _read(self, storage: Storage[K, E]) -> PersistedData[E] | None:
        try:
            return await storage.read(self._key)
        except Exception:
            self._writer.is_checked = True  # a storage that cannot be read may be written
            raise

    def _refuses(self, kept: PersistedData[E] | None) -> bool:
        """Protect newer data, and report it once."""
        self._writer.is_checked = True
        version = self._options.version
        if kept is None or kept.version <= version:
            return False
        if not self._writer.is_protected:
            self._writer.is_protected = True
            self.element.host.report(NewerDataError(self._key, kept.version, version), self.element.provider)
        return True

    def _migrated(self, kept: PersistedData[E]) -> E:
        migrate = self._codec.migrate
        if migrate is None or kept.version == self._options.version:
            return kept.data
        try:
            data: E = migrate(kept.data, kept.version)
        except Exception:
            self._writer.is_protected = True  # a corrected function can still read it
            raise
        return data

    def _show(self, value: Any) -> None:
        element = self.element
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
            self._put(data)

    def _put(self, data: Any) -> None:
        async def write() -> None:
            storage = await self._storage.get()
            if not self._writer.is_checked:  # an edit before the stored data was read
                try:
                    self._refuses(await self._read(storage))
                except Exception as error:
                    self.element.host.report(error, self.element.provider)
            if not self._writer.is_protected:
                await storage.write(self._key, self._codec.encode(data), self._options)

        self._writer.put(Change(self.element.host, self.element.provider, write, data))

    async def _delete(self) -> None:
        await (await self._storage.get()).delete(self._key)

    async def _finish(self) -> None:
        await self._writer.settle()
        await self._storage.give_up()


class _StateKeeper(_Keeper[K, E]):
    """Stores the state of a synchronous provider during one build: each edit, and not the state it is built with.

    An edit that is made before the stored state was read wins.
    """

    __slots__ = ("_is_edited", "_restored")

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._is_edited = False
        self._restored: Promise[None] = Promise()

    @property
    def has_data(self) -> bool:
        """Whether the state was edited, so that the stored one is older."""
        return self._is_edited

    def begin(self) -> Awaitable[None]:
        """Start to read the stored state, in the next event loop if none runs; return when it was read."""
        if running_loop() is None:
            self.element.host.scheduler.loops.call_in_next_loop(self, self._read_stored)
        else:
            self._read_stored()
        return self._restored

    def _read_stored(self) -> None:
        if self._is_edited or self.element.ref is not self._build:
            self._restored.resolve(None)
        else:
            task = self._build.create_task(self.restore())
            task.add_done_callback(self._is_restored)

    def _is_restored(self, task: asyncio.Task[None]) -> None:
        self._restored.resolve(None)

    def edited(self) -> None:
        """Store the state."""
        self._is_edited = True
        self._put(confirmed_state(self.element))

    def ended(self) -> Awaitable[None] | None:
        """Finish: every edit is written or on its way."""
        return self._end()

    def _show(self, value: Any) -> None:
        element = self.element
        if element.failure is None and not self._is_edited:
            pending = getattr(element.notifier, "pending_changes", None)
            self._build.hooks.restored = object()
            set_value(element, value if pending is None else pending.take(value))


def tell_edited(element: Element, writers: dict[Any, Writer]) -> None:
    """Store an edit of a notifier under its keys."""
    for writer in writers.values():
        for keeper in tuple(writer.keepers):
            if keeper.element is element:
                keeper.edited()


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
