"""Watcher, the base of every binding: watch listenables, and get one callback per turn of the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Final, Self, TypeVar, Unpack

import attrs

from tetherpy.closable import Closable
from tetherpy.reactive import (
    ListenOptions,
    OnChange,
    ProviderContainer,
    ProviderError,
    ProviderListenable,
    ProviderSubscription,
)

from .errors import BuildWithinBuildError, WatcherClosedError

T = TypeVar("T")

_UNSEEN: Final = object()


@attrs.define(eq=False)
class _Dependency:
    """One watched listenable; ``seen`` is the last value read, or the error."""

    subscription: ProviderSubscription[Any] = attrs.field(init=False)
    seen: object = _UNSEEN


@attrs.define(eq=False)
class Watcher(Closable):
    """Watches listenables of a container for an object built from their values, such as a widget.

    ``on_dirty`` is called without arguments after a change: once for any number of changes, and not again before
    the next ``watch``. It is called on the next turn of the running event loop, or immediately if no loop runs. Its
    exceptions go to the container's ``on_error``, with this watcher in place of the provider; the next change calls
    it again.

    A watcher belongs to the thread of its container.
    """

    container: ProviderContainer
    on_dirty: Callable[[], object]
    _dependencies: dict[Any, _Dependency] = attrs.field(init=False, factory=dict[Any, _Dependency])
    _former: dict[Any, _Dependency] = attrs.field(init=False, factory=dict[Any, _Dependency])
    _listeners: list[ProviderSubscription[Any]] = attrs.field(init=False, factory=list[ProviderSubscription[Any]])
    _changed: set[_Dependency] = attrs.field(init=False, factory=set[_Dependency])
    _notified: bool = attrs.field(init=False, default=False)
    _due_in: asyncio.AbstractEventLoop | None = attrs.field(init=False, default=None)
    _busy: int = attrs.field(init=False, default=0)
    _building: bool = attrs.field(init=False, default=False)
    _pauses: int = attrs.field(init=False, default=0)
    _closed: bool = attrs.field(init=False, default=False)

    def watch(self, listenable: ProviderListenable[T]) -> T:
        """Return the current value, and call ``on_dirty`` when it changes.

        Raises:
            ProviderError: the provider is in error; it is watched anyway.
            WatcherClosedError: this watcher is closed.
        """
        self._check()
        self._notified = False
        with self._quiet():
            dependency = self._dependencies.get(listenable)
            if dependency is None:
                dependency = self._former.pop(listenable, None) or self._depend_on(listenable)
                self._dependencies[listenable] = dependency
            try:
                value: T = dependency.subscription.read()
                dependency.seen = value
            except ProviderError as error:
                dependency.seen = error.__cause__
                raise
            finally:
                self._changed.discard(dependency)
            return value

    def listen(
        self, listenable: ProviderListenable[T], callback: OnChange[T], **options: Unpack[ListenOptions]
    ) -> ProviderSubscription[T]:
        """Call ``callback(previous, next)`` after each change, until the next build; ``on_dirty`` is not called.

        Arguments as ``ProviderContainer.listen``.
        """
        self._check()
        subscription = self.container.listen(listenable, callback, **options)
        self._listeners.append(subscription)
        if self._pauses:
            subscription.pause()
        return subscription

    @contextmanager
    def build(self) -> Generator[Self]:
        """Collect the dependencies again: those that are not watched inside the block are dropped at its end.

        If the block raises, the dependencies watched until then are kept.

        Raises:
            BuildWithinBuildError: the previous build has not ended.
            WatcherClosedError: this watcher is closed.
        """
        self._check()
        if self._building:
            raise BuildWithinBuildError(self)
        self._building = True
        self._notified = False
        self._former, self._dependencies = self._dependencies, {}
        listeners, self._listeners = self._listeners, []
        with self._quiet():
            try:
                yield self
            finally:
                self._building = False
                former, self._former = self._former, {}
                self._changed.difference_update(former.values())
                for subscription in (*(left.subscription for left in former.values()), *listeners):
                    subscription.close()

    def pause(self) -> None:
        """Suspend ``on_dirty`` until ``resume``, for example while the widget is hidden; pauses are counted.

        Providers that only paused watchers watch are paused too.
        """
        self._check()
        self._pauses += 1
        if self._pauses == 1:
            for subscription in self._subscriptions():
                subscription.pause()

    def resume(self) -> None:
        """Undo one ``pause``; after the last, ``on_dirty`` is called if there was a change."""
        self._check()
        if not self._pauses:
            return
        self._pauses -= 1
        if not self._pauses:
            with self._quiet():
                for subscription in self._subscriptions():
                    subscription.resume()

    @property
    def is_paused(self) -> bool:
        """Whether the watcher is paused."""
        return self._pauses > 0

    @property
    def closed(self) -> bool:
        """Whether the watcher is closed or its container is disposed."""
        return self._closed or self.container.disposed

    def close(self) -> None:
        """Drop all dependencies. Closing again has no effect."""
        for subscription in self._subscriptions():
            subscription.close()
        self._closed = True
        self._dependencies.clear()
        self._former.clear()
        self._listeners.clear()
        self._changed.clear()

    def __repr__(self) -> str:
        state = "closed" if self.closed else f"watching {len(self._dependencies)}"
        return f"<Watcher for {self.on_dirty!r}, {state}>"

    def _check(self) -> None:
        self.container.check()
        if self._closed:
            raise WatcherClosedError(self)

    def _subscriptions(self) -> list[ProviderSubscription[Any]]:
        watched = (*self._dependencies.values(), *self._former.values())
        return [*(dependency.subscription for dependency in watched), *self._listeners]

    def _depend_on(self, listenable: ProviderListenable[Any]) -> _Dependency:
        def changed(previous: object, value: object) -> None:
            # Another read may have delivered the value already. The same object before and after: changed in place.
            if value is not dependency.seen or value is previous:
                self._changed.add(dependency)
                self._schedule_notification()

        def failed(error: Exception) -> None:
            changed(_UNSEEN, error)

        dependency = _Dependency()
        # A source may emit during subscription; watch() reads that value right afterwards.
        dependency.subscription = self.container.listen(listenable, changed, on_error=failed)
        if self._pauses:
            dependency.subscription.pause()
        return dependency

    @contextmanager
    def _quiet(self) -> Generator[None]:
        """Defer ``on_dirty`` until the outermost block ends."""
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1
            self._schedule_notification()

    @property
    def _is_due(self) -> bool:
        return bool(self._changed) and not (self._notified or self._busy or self._pauses or self.closed)

    def _schedule_notification(self) -> None:
        if not self._is_due:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._notify()
            return
        # A pending call in a closed loop must not suppress this one.
        if self._due_in is not loop:
            self._due_in = loop
            loop.call_soon(self._notify)

    def _notify(self) -> None:
        self._due_in = None
        if not self._is_due:
            return
        self._notified = True
        self._changed.clear()
        with self._quiet():
            try:
                self.on_dirty()
            except Exception as error:
                self._notified = False
                self.container.report(error, self)
