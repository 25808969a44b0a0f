"""Ref: how a provider's function reaches other providers, and registers callbacks for its own life."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import timedelta
from functools import partial
from threading import get_ident
from typing import Any, Generic, TypeVar, Unpack, cast

from tetherpy.durations import to_seconds

from ..errors import NoEventLoopError, UnmountedRefError, WrongThreadError
from ..graph.announcements import announce
from ..graph.dependencies import forget_last
from ..graph.element import Build, Element
from ..graph.invalidation import Invalidation, invalidate
from ..graph.listenable import ProviderListenable, Refreshable
from ..graph.marking import mark
from ..graph.node_states import BUILDING, DIRTY, DISPOSED
from ..graph.subscription import ListenOptions, OnChange, OnError, ProviderSubscription, subscribe
from ..graph.updates.build import build
from ..graph.updates.read import read as read_element
from ..graph.updates.watch import depend_late, refuse_loop
from ..graph.users import pause_if_unused, request_disposal
from ..lifecycle.hooks import Event, Hooks
from ..lifecycle.running_loop import running_loop
from ..providers.provider import Family, ProviderBase, check_listenable, check_target
from .keep_alive_link import KeepAliveLink
from .provider_container import ProviderContainer
from .scope_check import check_scope, found_for

T = TypeVar("T")


class Ref(Build):
    """The argument of a provider's function; it belongs to one build.

    After a rebuild or disposal every method raises UnmountedRefError; check ``mounted`` before.
    """

    __slots__ = ()

    # -- reading ---------------------------------------------------------------------------------

    def watch(self, listenable: ProviderListenable[T]) -> T:
        """Return the current value, and rebuild this provider when it changes.

        Raises:
            ProviderError: that provider is in error.
            CircularDependencyError: that provider needs this one.
            UnmountedRefError: this build has ended.
        """
        element = self.element
        if element.ref is not self:
            raise UnmountedRefError(element.provider)
        try:
            source = element.host.elements[listenable]
        except (KeyError, TypeError):
            check_listenable(listenable)
            if get_ident() != element.host.scheduler.thread:
                raise WrongThreadError(element.host) from None
            source = found_for(element, listenable)
            if listenable.ephemeral:
                check_scope(element.provider, listenable.origin)
        # depend_on() in graph/updates/watch.py, inlined: this is the hottest path of the library.
        if source.mark is not self:
            fresh = element.fresh
            if fresh is not None:
                if get_ident() != element.host.scheduler.thread:
                    raise WrongThreadError(element.host)
                fresh.append(source)
                source.mark = self
                if source.state:
                    if source.state == DIRTY:
                        build(source)
                    if source.state:
                        return cast("T", read_element(source))
                return source.value  # type: ignore[no-any-return]  # the table is keyed by what gives T
            idx = element.idx
            try:
                known = element.sources[idx] is source
            except IndexError:
                known = False
            if known:
                element.idx = idx + 1
            elif element.state != BUILDING:
                depend_late(element, source)
                source.mark = self
                return cast("T", read_element(source))
            elif get_ident() != element.host.scheduler.thread:
                raise WrongThreadError(element.host)
            else:
                element.fresh = [source]
            source.mark = self
        if source.state:
            if source.state == DIRTY and element.state == BUILDING:
                if get_ident() != element.host.scheduler.thread:
                    forget_last(element, source)
                    raise WrongThreadError(element.host)
                build(source)
            if source.state:
                return cast("T", read_element(source))
        return source.value  # type: ignore[no-any-return]  # the table is keyed by what gives T

    def read(self, listenable: ProviderListenable[T]) -> T:
        """Return the current value without watching it."""
        element = self._checked(listenable)
        if element.state == BUILDING or (element.flow is not None and element.flow.building):
            self._remember(element.host.find(listenable.origin))
        return self.container.read(listenable)

    def listen(
        self, listenable: ProviderListenable[T], callback: OnChange[T], **options: Unpack[ListenOptions]
    ) -> ProviderSubscription[T]:
        """Call ``callback(previous, next)`` after each change for as long as this build lasts.

        It is paused while this provider has no active listener. Arguments as ProviderContainer.listen.

        Raises:
            CircularDependencyError: that provider depends on this one.
        """
        element = self._checked(listenable)
        if element.observers and not options.get("weak"):
            refuse_loop(element, element.host.find(listenable.origin))
        hooks = self._hooks()
        subscription = subscribe(listenable.node_in(element.host), callback, **options)
        if not subscription.closed:
            subscription.when_closed(partial(hooks.release, subscription))
            hooks.hold(subscription)
            if element.state == BUILDING:
                element.host.scheduler.callbacks.append((pause_if_unused, (element,)))
            else:
                pause_if_unused(element)
        return subscription

    def exists(self, provider: ProviderBase[Any]) -> bool:
        """Whether a provider has been built."""
        self._mounted()
        return self.container.exists(provider)

    # -- changing --------------------------------------------------------------------------------

    def refresh(self, refreshable: Refreshable[T]) -> T:
        """Invalidate another provider and read it immediately."""
        check_listenable(refreshable)
        self.invalidate(cast("ProviderBase[Any]", refreshable.origin))
        return self.read(refreshable)

    def invalidate(self, target: ProviderBase[Any] | Family[Any, Any, Any], *, as_reload: bool = False) -> None:
        """Invalidate another provider, or every member of a family."""
        element = self._mounted()
        check_target(target)
        check_scope(element.provider, target)
        self.container.invalidate_by(f"ref.invalidate of {element.provider!r}", target, as_reload=as_reload)

    def invalidate_self(self, *, as_reload: bool = False) -> None:
        """Invalidate this provider, so that it is rebuilt."""
        invalidate(self._mounted(), Invalidation("ref.invalidate_self", as_reload))

    def notify_listeners(self) -> None:
        """Notify listeners of the current value although it did not change by ``!=``, as after a change in place.

        During the build of the provider this does nothing: the build notifies them of its result.
        """
        element = self._mounted()
        if element.state == BUILDING:
            return
        scheduler = element.host.scheduler
        scheduler.depth += 1
        try:
            if scheduler.interrupted:
                scheduler.queue_interrupted()
            if element.observers:
                mark(element, element.value)
            announce(element, element.value)
        finally:
            scheduler.leave()

    # -- life cycle ------------------------------------------------------------------------------

    def keep_alive(self) -> KeepAliveLink:
        """Keep an auto-dispose provider alive until the link is closed or this build ends."""
        return KeepAliveLink(self._mounted(), self._hooks())

    def cache_for(self, duration: timedelta | float) -> None:
        """Keep the state for ``duration`` (seconds or timedelta) after the last listener has left.

        Without a listener, as after a read, the time begins now.

        Raises:
            NoEventLoopError: the last listener left where no event loop runs; the time begins in the next loop.
            DurationError: ``duration`` is not a duration, or negative.
        """
        hooks = self._hooks()
        seconds = to_seconds("cache_for", duration)
        hooks.cache_time = seconds if hooks.cache_time is None else max(seconds, hooks.cache_time)
        if self.element.state != BUILDING:
            request_disposal(self.element)

    def on_dispose(self, callback: Callable[[], Awaitable[object] | object]) -> Callable[[], None]:
        """Call ``callback`` when this build ends: before a rebuild, at invalidation, or at disposal.

        Asynchronous callbacks run on the loop, and ``container.aclose`` waits for them.
        """
        return self._hooks().on_dispose(callback)

    def on_cancel(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call ``callback`` when the last active listener has left or paused."""
        return self._on(Event.CANCEL, callback)

    def on_resume(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call ``callback`` when there is an active listener again after ``on_cancel``."""
        return self._on(Event.RESUME, callback)

    def on_add_listener(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call ``callback`` whenever a listener or a dependent provider is added."""
        return self._on(Event.ADD_LISTENER, callback)

    def on_remove_listener(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call ``callback`` whenever a listener or a dependent provider is removed."""
        return self._on(Event.REMOVE_LISTENER, callback)

    def on_manual_invalidation(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call ``callback`` when this provider is invalidated or refreshed, but not when a dependency changes."""
        return self._on(Event.INVALIDATE, callback)

    def enter(self, manager: AbstractContextManager[T]) -> T:
        """Enter a context manager that is left when this build ends, the last one entered first."""
        self._mounted()
        entered = manager.__enter__()
        self._hooks().leave(partial(_leave, manager))
        return entered

    async def enter_async(self, manager: AbstractAsyncContextManager[T]) -> T:
        """Enter an asynchronous context manager that is left when this build ends, the last one entered first.

        If the build ends while the manager is being entered, it is left at once. In an ``async`` build it is left in
        the task that entered it, because managers with a cancel scope require this (``TaskGroup``,
        ``asyncio.timeout``, those of anyio). Otherwise it is left in another task.
        """
        self._mounted()
        entered = await manager.__aenter__()
        if not self.mounted:
            unmounted = UnmountedRefError(self.element.provider)
            await _leave_async(manager, unmounted)
            raise unmounted
        hooks = self._hooks()
        if hooks.entered_in is None:
            hooks.entered_in = set()
        hooks.entered_in.add(asyncio.current_task())
        hooks.leave(partial(_leave_async, manager))
        return entered

    def create_task(self, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a task that is cancelled when this build ends; its failure goes to the container's on_error.

        Raises:
            NoEventLoopError: no event loop runs.
        """
        element = self.element
        loop = running_loop()
        if element.ref is not self or loop is None:
            coroutine.close()
            self._mounted()
            raise NoEventLoopError(element.provider, "Call create_task while one runs, as inside asyncio.run(...).")
        hooks = self._hooks()
        tasks = hooks.tasks = set() if hooks.tasks is None else hooks.tasks
        task = loop.create_task(coroutine)
        tasks.add(task)
        host, provider = element.host, element.provider

        def ended(task: asyncio.Task[T]) -> None:
            tasks.discard(task)
            if not task.cancelled() and (error := task.exception()) is not None:
                host.report(error, provider)

        task.add_done_callback(ended)
        return task

    # -- about this build ------------------------------------------------------------------------

    @property
    def container(self) -> ProviderContainer:
        """The container that this provider lives in."""
        return cast("ProviderContainer", self.element.host)

    @property
    def mounted(self) -> bool:
        """Whether this build is still the current one."""
        return self.element.ref is self

    @property
    def is_first_build(self) -> bool:
        """Whether the provider had not been built before (since it was last disposed)."""
        return self.cause is None

    @property
    def is_reload(self) -> bool:
        """Whether a dependency changed, or it was invalidated with ``as_reload``."""
        cause = self.cause
        return cause is not None and (not isinstance(cause, Invalidation) or cause.as_reload)

    @property
    def is_refresh(self) -> bool:
        """Whether it is rebuilt without a changed dependency."""
        return isinstance(self.cause, Invalidation) and not self.cause.as_reload

    @property
    def is_paused(self) -> bool:
        """Whether this provider has no active listener."""
        return not self.element.active and self.element.state != BUILDING

    # -- internals -------------------------------------------------------------------------------

    def _mounted(self) -> Element:
        element = self.element
        if element.ref is not self:
            raise UnmountedRefError(element.provider)
        element.host.check()
        return element

    def _checked(self, listenable: ProviderListenable[Any]) -> Element:
        element = self._mounted()
        check_listenable(listenable)
        check_scope(element.provider, listenable.origin)
        return element

    def _hooks(self) -> Hooks:
        element = self._mounted()
        if self.hooks is None:
            self.hooks = Hooks()
            self.hooks.paused = not element.active and element.state != BUILDING
        return self.hooks

    def _remember(self, source: Element) -> None:
        """Record a provider that the build reads: the build must end before that provider does."""
        reads = self.reads
        if reads is None:
            reads = self.reads = {}
            self.container.edges_moved = True
        elif source not in reads and not len(reads) & (len(reads) - 1):
            # A stream may read during the whole program: disposed elements are dropped each time the size doubles.
            for gone in [other for other in reads if other.state == DISPOSED]:
                del reads[gone]
        reads[source] = None

    def _on(self, event: Event, callback: Callable[[], object]) -> Callable[[], None]:
        return self._hooks().on(event, callback)

    def __repr__(self) -> str:
        return f"<Ref of {self.element.provider!r}{'' if self.mounted else ', unmounted'}>"


class NotifierRef(Ref, Generic[T]):
    """The Ref of a notifier, which can also listen to its own state."""

    __slots__ = ()

    def listen_self(self, callback: OnChange[T], on_error: OnError | None = None) -> Callable[[], None]:
        """Call ``callback(previous, next)`` whenever the state is set; return a function that removes the callback."""
        return self._hooks().on_change((callback, on_error))


def _leave(manager: AbstractContextManager[Any], error: BaseException | None) -> bool | None:
    if error is None:
        return manager.__exit__(None, None, None)
    return manager.__exit__(type(error), error, error.__traceback__)


def _leave_async(
    manager: AbstractAsyncContextManager[Any], error: BaseException | None
) -> Coroutine[Any, Any, bool | None]:
    if error is None:
        return manager.__aexit__(None, None, None)
    return manager.__aexit__(type(error), error, error.__traceback__)
