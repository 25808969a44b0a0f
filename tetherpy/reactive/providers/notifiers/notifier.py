"""Notifiers: classes that hold a state and the methods that change it."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Self, TypeAlias, TypeVar, cast

import attrs

from ...asynchronous.async_flow import AsyncFlow
from ...asynchronous.async_provider_base import flow_of
from ...asynchronous.async_value import AsyncState, AsyncValue
from ...asynchronous.pending_changes import PendingChanges
from ...asynchronous.promise import Promise
from ...container.ref import NotifierRef
from ...errors import DeclarationError, NotifierNotReadyError, UnmountedRefError
from ...graph.element import NO_VALUE, Element
from ...graph.node_states import BUILDING, DISPOSED
from ...graph.retries.node_retries import stop_retrying
from ...graph.updates.read import read_state
from ...graph.updates.set_value import check_settable, set_value
from ...persistence.codec import Migrate, codec_of, state_type
from ...persistence.keeper import persist, tell_edited
from ...persistence.storage import DEFAULT_STORAGE, FOREVER, Storage, StorageOptions
from ...persistence.storage_writer import Writer
from .optimistic_update import OptimisticUpdate, install
from .update_queue import UpdateQueue

if TYPE_CHECKING:
    from reactivex import Observable

T = TypeVar("T")
S = TypeVar("S")
K = TypeVar("K")
E = TypeVar("E")


class NotifierBase(Generic[S]):
    """Base of all notifiers; ``S`` is the type of the state."""

    _element: Element | None = None
    _writers: dict[Any, Writer] | None = None
    pending_changes: PendingChanges | None = None
    """The optimistic changes; used by the library."""

    def attach_to(self, element: Element) -> None:
        """Attach this instance to an element; called by the library.

        Raises:
            NotifierNotReadyError: it is attached already; the function of a provider must return a new instance.
        """
        if self._element is not None:
            raise NotifierNotReadyError(type(self))
        self._element = element
        if type(self).update_should_notify is not NotifierBase[Any].update_should_notify:
            element.differs = self.update_should_notify

    def detach(self) -> None:
        """Detach this instance from its element; using it raises UnmountedRefError from now on."""
        if self._element is not None:
            install(self._element, None)
            gone = Element(self._element.host, self._element.provider, None)
            gone.state = DISPOSED
            self._element = gone

    @property
    def ref(self) -> NotifierRef[S]:
        """The Ref of the current build.

        Raises:
            NotifierNotReadyError: used in the constructor.
            UnmountedRefError: the provider was disposed.
        """
        ref = self._attached().ref
        if ref is None:
            raise UnmountedRefError(self._attached().provider)
        return ref  # type: ignore[no-any-return]  # build_type of notifier providers

    def update_should_notify(self, previous: S, next: S) -> bool:  # noqa: A002  the contract's name
        """Return whether to notify listeners of a new state; by default if ``previous != next``."""
        return previous != next

    def listen_self(
        self,
        callback: Callable[[S | None, S], object],
        on_error: Callable[[Exception], object] | None = None,
    ) -> Callable[[], None]:
        """Call ``callback(previous, next)`` whenever the state is set during this build; return the remover."""
        return self.ref.listen_self(callback, on_error)

    def changes_confirmed(self) -> None:
        """Store the confirmed state if it is persisted; called by the library."""
        if self._writers is not None:
            tell_edited(self._attached(), self._writers)

    def _writers_by_key(self) -> dict[Any, Writer]:
        if self._writers is None:
            self._writers = {}
        return self._writers

    def _attached(self) -> Element:
        if self._element is None:
            raise NotifierNotReadyError(type(self))
        return self._element


class Notifier(NotifierBase[T]):
    """A synchronous state: override ``build`` to return the first state, and add methods that set ``state``."""

    def build(self) -> T:
        """Return the first state; called again when a watched provider changes."""
        raise DeclarationError(type(self).__name__, self, "it must define build().")

    @property
    def state(self) -> T:
        """The current state; setting it notifies listeners immediately if ``update_should_notify`` returns True.

        Raises:
            NotifierNotReadyError: before the first build has ended.
            UnmountedRefError: the provider was disposed.
            ProviderError: the provider is in error.
            WrongThreadError: used in another thread.
        """
        element = self._attached()
        if element.state == BUILDING:
            if element.value is NO_VALUE:
                raise NotifierNotReadyError(type(self))
            return element.value  # type: ignore[no-any-return]  # the value that build() returned
        if element.ref is None:
            raise UnmountedRefError(element.provider)
        return read_state(element)  # type: ignore[no-any-return]  # the value that build() returned

    @state.setter
    def state(self, value: T) -> None:
        element, pending = self._attached(), self.pending_changes
        if pending is not None and element.state != BUILDING:
            check_settable(element)
            value = pending.take(value)
        set_value(element, value)
        if self._writers is not None and element.state != BUILDING:
            tell_edited(element, self._writers)

    def persist(
        self,
        storage: Storage[K, E] | Awaitable[Storage[K, E]],
        *,
        key: K,
        as_type: Any = None,
        encode: Callable[[T], E] | None = None,
        decode: Callable[[E], T] | None = None,
        version: int = 0,
        migrate: Migrate | None = None,
        options: StorageOptions = FOREVER,
    ) -> Awaitable[None]:
        """Store each state that is set, and restore the stored state at the next start.

        Call it in ``build``, which returns the state to begin with; await the result elsewhere to wait until the stored
        state was read. A state that is set before that wins. Stored data that cannot be used is reported to
        the container's on_error, and replaced by the next state; data of a newer version, and data whose ``migrate``
        raises, is reported and never replaced.

        Args:
            storage: the storage; an awaitable is awaited once.
            key: hashable and unique among the providers of the container; a second use is reported to on_error.
            as_type: the type that JSON is decoded to; by default ``T`` of ``Notifier[T]``.
            encode: converts the state for the storage; to JSON text by default.
            decode: the inverse of ``encode``.
            version: the version of the state's schema; raise it when the schema changes.
            migrate: called with older stored data (as plain JSON values) and its version; returns it in the new form.
            options: the time to keep the data, by default without limit, and the key that invalidates old data.
        """
        kind = type(self)
        codec = codec_of(encode, decode, migrate, lambda: state_type(kind, (Notifier,)) if as_type is None else as_type)
        options = attrs.evolve(options, version=version)
        return persist(self._attached(), self._writers_by_key(), storage, key, codec, options)

    @property
    def confirmed(self) -> T:
        """The state without pending changes of ``optimistic``; raises as ``state`` does."""
        state = self.state
        return state if self.pending_changes is None else self.pending_changes.confirmed

    def optimistic(self, change: Callable[[T], T]) -> OptimisticUpdate[T]:
        """Show ``change(state)`` during an ``async with`` block; keep it if the block succeeds, else undo it.

        While the block runs, a state that is set and the result of a rebuild are data without the change, and the
        change is applied to it again: make it so that a second application has no effect. Compute a state to
        set from ``confirmed``. Several updates may run at once and end in any order.

        Args:
            change: returns the new state, and changes nothing in place.
        """
        return OptimisticUpdate(self._attached, lambda: self.state, change)

    def __provides__(self) -> tuple[Self, T]:
        """Tie notifier and state together for type checkers; never called."""
        raise NotImplementedError


class AsyncNotifierBase(NotifierBase[AsyncState[T]]):
    """Base of AsyncNotifier and StreamNotifier; the state is an AsyncValue."""

    _update_queue: UpdateQueue | None = None

    @property
    def state(self) -> AsyncState[T]:
        """The current AsyncValue; a loading or error state that is set keeps the previous data."""
        element = self._attached()
        if element.state == BUILDING:
            return flow_of(element).loading  # type: ignore[return-value]  # one of the three classes
        if element.ref is None:
            raise UnmountedRefError(element.provider)
        return read_state(element)  # type: ignore[no-any-return]  # elements with a flow hold AsyncValues

    @state.setter
    def state(self, value: AsyncValue[T]) -> None:
        element = self._attached()
        check_settable(element)
        stop_retrying(element)  # a retry would replace the state that is set here
        self._flow.become(value, is_refresh=False)

    @property
    def confirmed(self) -> AsyncState[T]:
        """The state without pending changes of ``optimistic``."""
        state = self.state
        return state if self.pending_changes is None else self.pending_changes.confirmed

    def optimistic(self, change: Callable[[T], T]) -> OptimisticUpdate[T]:
        """Show ``change(data)`` during an ``async with`` block; keep it if the block succeeds, else undo it.

        Newer data does not contain the change while the block runs: it is applied to that data again, so make it so
        that a second application has no effect. Several updates may run at once and end in any order. ``update`` and
        persistence use the data without pending changes.

        Args:
            change: returns the new data, and changes nothing in place. While there is no data it waits.
        """
        return OptimisticUpdate(self._attached, lambda: self.state, change)

    @property
    def future(self) -> Promise[T]:
        """An awaitable of the next settled value."""
        self.state  # noqa: B018  bring it up to date
        return self._flow.promise

    async def update(
        self,
        fn: Callable[[T], T | Awaitable[T]],
        *,
        on_error: Callable[[Exception], T | Awaitable[T]] | None = None,
    ) -> T:
        """Wait for data, set the state to ``fn(data)``, and return it.

        Updates of one notifier run one after another, also if ``fn`` is asynchronous, and each ``fn`` gets the data
        that is current when it is called. Only an update made inside ``fn`` does not wait.

        Args:
            fn: called with the data; may be asynchronous. If the provider is rebuilt before it ends, its result
                is returned but not set.
            on_error: called with the error if the provider is in error; by default the error is raised.
        """
        if self._update_queue is None:
            self._update_queue = UpdateQueue()
        return await self._update_queue.run(partial(self._update, fn, on_error))

    async def _update(
        self,
        fn: Callable[[T], T | Awaitable[T]],
        on_error: Callable[[Exception], T | Awaitable[T]] | None,
    ) -> T:
        try:
            data = await self._data_now()
            if self.pending_changes is not None:
                data = cast("T", self.pending_changes.confirmed.require_value)
        except Exception as error:
            if on_error is None:
                raise
            ref, result = self.ref, on_error(error)
        else:
            ref, result = self.ref, fn(data)
        value = cast("T", await result if inspect.isawaitable(result) else result)
        if self._attached().ref is ref:  # neither rebuilt nor replaced by another notifier during the await
            self._flow.data(value)
        return value

    async def _data_now(self) -> T:
        """Wait while the state is loading; return its data or raise its error."""
        while True:
            promise = self.future
            try:
                data = await promise
            except Exception:
                if self._attached().ref is None or self.future is promise:
                    raise
            else:
                if self.future is promise:
                    return data

    def persist(
        self,
        storage: Storage[K, E] | Awaitable[Storage[K, E]],
        *,
        key: K,
        as_type: Any = None,
        encode: Callable[[T], E] | None = None,
        decode: Callable[[E], T] | None = None,
        version: int = 0,
        migrate: Migrate | None = None,
        options: StorageOptions = DEFAULT_STORAGE,
    ) -> Awaitable[None]:
        """Store the data, and show the stored data while the new data is loading.

        Call it in ``build``. After ``await self.persist(...)`` the stored data is in ``state.value`` (with
        ``is_from_cache``). New data is written one write at a time, the newest last; an error deletes nothing.
        Closing the container waits for the last write. A failure of the storage goes to the container's on_error;
        the write is retried with the next data, and once more when the build ends.

        Args:
            storage: the storage; an awaitable is awaited once.
            key: hashable and unique among the providers of the container; a second use is reported to on_error.
            as_type: the type that JSON is decoded to; by default ``T`` of ``AsyncNotifier[T]``.
            encode: converts the data for the storage; to JSON text by default.
            decode: the inverse of ``encode``.
            version: the version of the data's schema. Newer stored data is reported, and never replaced.
            migrate: called with older stored data (as plain JSON values) and its version; returns it in the new form.
                Data for which it raises is reported, and never replaced.
            options: the time to keep the data, and the key that invalidates old data.
        """
        kind = type(self)
        codec = codec_of(
            encode, decode, migrate, lambda: state_type(kind, (AsyncNotifierBase,)) if as_type is None else as_type
        )
        options = attrs.evolve(options, version=version)
        return persist(self._attached(), self._writers_by_key(), storage, key, codec, options)

    @property
    def _flow(self) -> AsyncFlow:
        return flow_of(self._attached())


class AsyncNotifier(AsyncNotifierBase[T]):
    """An awaited state: override ``async def build``."""

    def build(self) -> Awaitable[T] | T:
        """Return the first data, asynchronously or not."""
        raise DeclarationError(type(self).__name__, self, "it must define build().")

    def __provides_async__(self) -> tuple[Self, T]:
        """Tie notifier and state together for type checkers; never called."""
        raise NotImplementedError


StreamResult: TypeAlias = "Observable[T] | AsyncIterable[T]"


class StreamNotifier(AsyncNotifierBase[T]):
    """A state fed by a stream: override ``build`` to return an Observable, or as an async generator."""

    def build(self) -> StreamResult[T]:
        """Return the stream of data."""
        raise DeclarationError(type(self).__name__, self, "it must define build().")

    def __provides_stream__(self) -> tuple[Self, T]:
        """Tie notifier and state together for type checkers; never called."""
        raise NotImplementedError
