"""ProviderContainer: where the state of providers lives."""

from __future__ import annotations

import logging
from asyncio import CancelledError
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable
from contextlib import contextmanager
from functools import partial
from threading import get_ident
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, TypeVar, cast
from weakref import WeakValueDictionary

from tetherpy.observables import observable

from ..asynchronous.iteration import latest
from ..errors import (
    BatchOverAwaitError,
    ChangeDuringBuildError,
    ContainerClosingError,
    ContainerDisposedError,
    NotBuiltError,
    NoTestError,
    OverrideMismatchError,
    ProviderError,
    WrongThreadError,
)
from ..graph import invariants
from ..graph.callbacks import call
from ..graph.disposal import dispose_all, dispose_if_unused
from ..graph.edges import users_first
from ..graph.element import Element
from ..graph.explain import Explanation, explain
from ..graph.invalidation import Invalidation, invalidate
from ..graph.listenable import ProviderListenable, Refreshable
from ..graph.propagation import refresh_queued
from ..graph.retry import Retry
from ..graph.scheduler import Scheduler
from ..graph.subscription import OnChange, OnError, ProviderSubscription, subscribe
from ..lifecycle.cleanup import Cleanup
from ..lifecycle.event_loop import running_loop
from ..lifecycle.teardown import Unwinding, is_torn_down_under
from ..providers.provider import Family, ProviderBase, check_listenable
from .observer import ProviderObserver, ProviderObserverContext
from .overrides import OverrideTable, Overriding, overrides_of
from .scoping import built, element_of_owner

if TYPE_CHECKING:
    from reactivex import Observable

T = TypeVar("T")

NOTHING: Final[tuple[()]] = ()

OnContainerError = Callable[[BaseException, Any], object]

_logger = logging.getLogger("tetherpy.reactive")


def log_error(error: BaseException, provider: Any) -> None:
    """Log an error that nobody else handles, with the provider it belongs to: the default ``on_error``."""
    _logger.error("Error in %r", provider, exc_info=error, extra={"provider": getattr(provider, "name", None)})


class ProviderContainer:
    """Holds the values of providers; providers themselves are only declarations.

    One container belongs to the thread that created it.

    Args:
        overrides: replacements for providers, here and in children.
        observers: told of everything that happens here and in children.
        retry: when to build a failed provider again; None (the default) never does.
        on_error: called with errors that nobody else sees, and the provider; by default they are logged.
        parent: the container this one is a scope of; it shares everything that is not scoped.

    Raises:
        NotScopedError: an override in a child names a provider without ``dependencies``.
        DuplicateOverrideError: two overrides of one provider.
        ContainerDisposedError: the parent is disposed.
    """

    __slots__ = (
        "__weakref__",
        "_children",
        "_cleanup",
        "_disposed",
        "_guests",
        "_on_error",
        "_thread",
        "closing",
        "edges_moved",
        "elements",
        "observers",
        "overrides",
        "parent",
        "retry",
        "root",
        "scheduler",
        "unwinding",
        "writers",
    )

    test_scope: ClassVar[list[ProviderContainer] | None] = None
    """Where ``test`` puts its containers; set by the pytest plugin, None outside tests."""

    @classmethod
    def test(
        cls,
        *,
        overrides: Iterable[Overriding] = NOTHING,
        observers: Iterable[ProviderObserver] = (),
        retry: Retry | None = None,
        on_error: OnContainerError | None = None,
        parent: ProviderContainer | None = None,
    ) -> Self:
        """Create a container that is disposed by itself when the test ends; arguments as for the class.

        Raises:
            NoTestError: no test of pytest is running, or the plugin is not there.
        """
        if cls.test_scope is None:
            raise NoTestError(cls)
        container = cls(overrides=overrides, observers=observers, retry=retry, on_error=on_error, parent=parent)
        cls.test_scope.append(container)
        return container

    def __init__(
        self,
        *,
        overrides: Iterable[Overriding] = NOTHING,
        observers: Iterable[ProviderObserver] = (),
        retry: Retry | None = None,
        on_error: OnContainerError | None = None,
        parent: ProviderContainer | None = None,
    ) -> None:
        self.elements: dict[Any, Element] = {}
        #: Whether a node has come to read something after its first build: then the table's order may be wrong.
        self.edges_moved = False
        self.parent: ProviderContainer | None = parent
        self._disposed = False
        #: Whether it is being disposed: what was never built is not built any longer.
        self.closing = False
        #: The error that ended its block, for the context managers that are left because of it.
        self.unwinding: Unwinding | None = None
        self._children: dict[ProviderContainer, None] | None = None
        self._cleanup: Cleanup | None = None
        self._guests: dict[ProviderSubscription[Any], None] | None = None
        #: What writes the data of notifiers that persist, by key; None until one does.
        self.writers: WeakValueDictionary[Any, Any] | None = None
        self.overrides: OverrideTable | None = None
        if overrides is not NOTHING and (replaced := overrides_of(overrides)):
            self.overrides = OverrideTable(replaced, in_child=parent is not None)
        if parent is None:
            self.root: ProviderContainer = self
            self.scheduler: Scheduler[Element] = Scheduler(refresh_queued, dispose_if_unused, _provider_of, self.report)
            if invariants.enabled:
                self.scheduler.audit = invariants.auditor(self)
            self._thread = get_ident()
            self.observers: tuple[ProviderObserver, ...] = tuple(observers)
            self.retry = retry
            self._on_error: OnContainerError = log_error if on_error is None else on_error
        else:
            parent.check()
            self.root = parent.root
            self.scheduler = parent.scheduler
            self._thread = parent._thread
            self.observers = (*observers, *parent.observers) if observers else parent.observers
            self.retry = parent.retry if retry is None else retry
            self._on_error = parent._on_error if on_error is None else on_error
            if parent._children is None:
                parent._children = {}
            parent._children[self] = None
        if self.observers:
            self.tell("did_create_provider_container", ProviderObserverContext(self))

    # -- reading ---------------------------------------------------------------------------------

    def read(self, listenable: ProviderListenable[T]) -> T:
        """Return the current value, building the provider if needed.

        An auto-dispose provider that nobody listens to is disposed on the next turn.

        Raises:
            ProviderError: the provider is in error.
            CircularDependencyError: the provider is being built.
            ContainerDisposedError: this container is disposed.
            WrongThreadError: called from another thread.
        """
        try:
            element = self.elements[listenable]
        except (KeyError, TypeError):
            pass  # built, or refused, below, where what it raises does not seem to come from here
        else:
            if not element.state:
                scheduler = self.scheduler
                loop = running_loop()
                # Its own loop runs in its own thread only.
                if (
                    loop is scheduler.home and not scheduler.in_next_loop
                    if loop is not None
                    else get_ident() == self._thread and not scheduler.inbox
                ):
                    return element.value  # type: ignore[no-any-return]  # the table is keyed by what gives T
        return self._read(listenable)

    def _read(self, listenable: ProviderListenable[T]) -> T:
        self.check()
        check_listenable(listenable)
        self.scheduler.depth += 1
        try:
            return listenable.read_in(self)
        finally:
            self.scheduler.leave()

    def listen(
        self,
        listenable: ProviderListenable[T],
        callback: OnChange[T],
        *,
        fire_immediately: bool = False,
        on_error: OnError | None = None,
        weak: bool = False,
    ) -> ProviderSubscription[T]:
        """Call ``callback(previous, next)`` after each change, until the subscription or this container is closed.

        Args:
            listenable: what to listen to; it is built now unless ``weak``.
            callback: called with the previous and the new value.
            fire_immediately: call it now too, with ``previous`` None.
            on_error: called with the error instead when the provider fails.
            weak: neither build the provider nor keep it alive.
        """
        return self._subscribe(listenable, callback, on_error, fire_immediately=fire_immediately, weak=weak)

    def _subscribe(
        self,
        listenable: ProviderListenable[T],
        callback: OnChange[T],
        on_error: OnError | None,
        *,
        fire_immediately: bool = True,
        weak: bool = False,
        on_close: Callable[[], object] | None = None,
    ) -> ProviderSubscription[T]:
        self.check()
        check_listenable(listenable)
        element = listenable.node_in(self)
        if self.parent is None or (element.host is self and not element.provider.ephemeral):
            return subscribe(
                element, callback, on_error, fire_immediately=fire_immediately, weak=weak, on_close=on_close
            )
        # What is listened to lives on when this container goes, and must not keep calling into it.
        guests = self._guests = {} if self._guests is None else self._guests

        def closed() -> None:
            guests.pop(subscription, None)
            if on_close is not None:
                on_close()

        subscription: ProviderSubscription[T] = subscribe(
            element, callback, on_error, fire_immediately=fire_immediately, weak=weak, on_close=closed
        )
        guests[subscription] = None
        return subscription

    def observe(self, listenable: ProviderListenable[T]) -> Observable[T]:
        """Return a cold Rx observable: the current value on subscribe, then each change.

        It completes when this container is disposed, and errors when a ``Provider`` fails.
        """
        return observable(partial(self._push, listenable))

    def stream(self, listenable: ProviderListenable[T]) -> AsyncGenerator[T]:
        """Iterate over the current value and each change; a slow consumer gets the latest only.

        Raises:
            ProviderError: the provider is in error.
        """

        def listen(
            on_next: Callable[[T], None],
            on_error: Callable[[Exception], None],
            on_completed: Callable[[], None],
        ) -> Callable[[], None]:
            def fail(error: Exception) -> None:
                on_error(ProviderError(listenable, error))

            return self._push(listenable, on_next, fail, on_completed)

        return latest(listen)

    def _push(
        self,
        listenable: ProviderListenable[T],
        on_next: Callable[[T], None],
        on_error: Callable[[Exception], None],
        on_completed: Callable[[], None],
    ) -> Callable[[], None]:
        subscription = self._subscribe(listenable, lambda _, value: on_next(value), on_error, on_close=on_completed)
        # Rx operators dispose from whatever thread they like.
        return partial(self._in_own_thread, subscription.close)

    # -- changing --------------------------------------------------------------------------------

    def invalidate(self, target: ProviderBase[Any] | Family[Any, Any, Any], *, as_reload: bool = False) -> None:
        """Have a provider (or every member of a family) built again: next turn if listened to, else on read.

        What the current build asked to be undone is undone at once.

        Args:
            target: a provider or a family; what was never built is left alone.
            as_reload: let asynchronous providers show loading as if a dependency had changed.
        """
        self.check()
        self.invalidate_by("container.invalidate", target, as_reload=as_reload)

    def invalidate_by(self, by: str, target: Any, *, as_reload: bool) -> None:
        """Invalidate, and say who asked for it (Ref and mutations do the same as containers)."""
        reason = Invalidation(by, as_reload)
        with self._together():
            for element in built(self, target):
                invalidate(element, reason)

    def refresh(self, refreshable: Refreshable[T]) -> T:
        """Invalidate a provider and read it right away."""
        check_listenable(refreshable)
        self.invalidate(cast("ProviderBase[Any]", refreshable.origin))
        return self.read(refreshable)

    def exists(self, provider: ProviderBase[Any]) -> bool:
        """Whether the provider has been built here (or where it lives) and not been disposed."""
        self.check()
        return bool(built(self, provider))

    def all_providers(self, *, family: Family[Any, Any, Any] | None = None) -> list[ProviderBase[Any]]:
        """Return the built providers that can be seen from here, or those of one family.

        Those of this container come first, then those of its parents (Riverpod).
        """
        self.check()
        found: dict[ProviderBase[Any], None] = {}
        container: ProviderContainer | None = self
        while container is not None:
            for provider, element in container.elements.items():
                if element.ref is not None and (family is None or provider.of_family is family):
                    found[provider] = None
            container = container.parent
        return list(found)

    def update_overrides(self, overrides: Iterable[Overriding]) -> None:
        """Change what providers are overridden with; the providers must be the same, in the same order.

        Raises:
            OverrideMismatchError: other providers, or another order.
        """
        self.check()
        replaced = overrides_of(overrides)
        current = {} if self.overrides is None else self.overrides.by_origin
        given = [override.origin for override in replaced]
        if list(current) != given:
            raise OverrideMismatchError(list(current), given)
        if self.overrides is None:
            return
        if self.scheduler.building is not None:
            raise ChangeDuringBuildError(self, self.scheduler.building.provider)
        self.overrides = OverrideTable(replaced, in_child=self.parent is not None)
        reason = Invalidation("update_overrides", manual=False)
        with self._together():
            for provider, element in list(self.elements.items()):
                override = self.overrides.of(provider)
                if element.host is self and override is not None and override != current.get(override.origin):
                    override.attach(element, provider)
                    invalidate(element, reason)

    @contextmanager
    def batch(self) -> Generator[None]:
        """Make several changes as one: what derives from them is refreshed, and listeners called, at the end.

        Under a running event loop changes of one turn are together anyway; this is for scripts without one.

        Raises:
            BatchOverAwaitError: the block awaited something; its changes were delivered then.
        """
        self.check()
        scheduler = self.scheduler
        awaited = False

        def end() -> None:
            nonlocal awaited
            awaited = True
            scheduler.leave()

        loop = running_loop()
        turn = None if loop is None else loop.call_soon(end)
        scheduler.depth += 1
        try:
            yield
        finally:
            if turn is not None:
                turn.cancel()
            if not awaited:
                scheduler.leave()
        if awaited:
            raise BatchOverAwaitError(self)

    @contextmanager
    def _together(self) -> Generator[None]:
        self.scheduler.depth += 1
        try:
            yield
        finally:
            self.scheduler.leave()

    async def pump(self) -> None:
        """Wait until every scheduled refresh and disposal has run."""
        self.check()
        await self.scheduler.pump()

    def call_soon_threadsafe(self, fn: Callable[[], object]) -> None:
        """Have ``fn`` called in this container's thread; may be called from any thread.

        Calls are made one after another, in the order of their arrival, and never during a build or a batch. They
        run on the event loop that this container was used under last. Without one they run the next time the
        container is used.
        """
        self.scheduler.call_soon_threadsafe(fn)

    def _in_own_thread(self, fn: Callable[[], object]) -> None:
        if get_ident() == self._thread:
            fn()
        else:
            self.call_soon_threadsafe(fn)

    def explain(self, provider: ProviderBase[Any]) -> Explanation:
        """Return why the provider was last built, what it watches and who watches it.

        Raises:
            NotBuiltError: the provider was never built here.
        """
        self.check()
        for element in built(self, provider):
            return explain(element)
        raise NotBuiltError(provider, self)

    # -- ending ----------------------------------------------------------------------------------

    @property
    def disposed(self) -> bool:
        """Whether the container was disposed."""
        return self._disposed

    @property
    def depth(self) -> int:
        """How many containers are above this one; 0 for a root."""
        return 0 if self.parent is None else self.parent.depth + 1

    def dispose(self, error: BaseException | None = None) -> None:
        """Dispose children, then providers in reverse order of creation. Disposing twice is disposing once.

        Asynchronous disposers run in the running loop; their failures go to ``on_error``.

        Args:
            error: passed to the context managers that were entered here, as by ``with`` when its block raises.

        Raises:
            NoEventLoopError: something asynchronous has to be undone and no loop runs; all the rest is done.
        """
        if self._disposed or self.closing:
            return
        self._check_thread()
        if error is not None:
            self.unwinding = Unwinding(error)
        self.scheduler.depth += 1
        try:
            self._dispose_tree()
        finally:
            try:
                self.scheduler.leave()
            finally:
                stranded = None if self._cleanup is None else self._cleanup.take_stranded()
                if self.parent is None:
                    self.scheduler.close()
                elif self._cleanup is not None:
                    self.parent._own_cleanup().adopt(self._cleanup)
        if stranded is not None:
            raise stranded

    def _dispose_tree(self) -> None:
        self.closing = True
        for child in reversed(tuple(self._children or ())):
            # Whoever closes this container waits for its children too, and learns what failed in them.
            cleanup = self._own_cleanup()
            if child._cleanup is not None:
                cleanup.adopt(child._cleanup)
            child._cleanup = cleanup
            child.unwinding = self.unwinding
            child._dispose_tree()
        for subscription in tuple(self._guests or ()):
            subscription.close()
        own = [element for element in reversed(self.elements.values()) if element.host is self]
        if len(own) < len(self.elements):
            for element in self.elements.values():
                if element.holders is not None:
                    element.holders.pop(self, None)
        dispose_all(users_first(own) if self.edges_moved else own, self)
        self.elements.clear()
        if self.observers:
            context = ProviderObserverContext(self)
            self.scheduler.callbacks.append((self.tell, ("did_dispose_provider_container", context)))
        self._disposed = True
        if self.parent is not None and self.parent._children is not None:
            self.parent._children.pop(self, None)

    async def aclose(self, error: BaseException | None = None) -> None:
        """Dispose, and wait for everything asynchronous that this involves.

        A disposer of this container, or of one below it, does not wait here: that would be for its own end. What fails
        then goes to ``on_error``.

        Args:
            error: passed to the context managers that were entered here, as by ``async with`` when its block raises.

        Raises:
            ExceptionGroup: with all that failed while providers were being disposed.
        """
        if is_torn_down_under(self):
            self.dispose(error)
            return
        cleanup = self._own_cleanup()
        self.scheduler.serve()
        try:
            if not self._disposed and not self.closing:
                self._check_thread()
                cleanup.collect()
                try:
                    self.dispose(error)
                except Exception as failure:
                    self.report(failure, self)
                except BaseException:
                    await cleanup.finish()
                    raise
            await cleanup.finish()
        except BaseException:
            for collected in cleanup.take_collected():
                self.report(collected, self)
            raise
        failures = cleanup.take_collected()
        if failures:
            raise BaseExceptionGroup(f"{len(failures)} errors while disposing {self!r}", failures)

    def _own_cleanup(self) -> Cleanup:
        if self._cleanup is None:
            self._cleanup = Cleanup()
        return self._cleanup

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        self.dispose(error)
        return self._suppressed()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        await self.aclose(error)
        return self._suppressed()

    def _suppressed(self) -> bool:
        """Whether a context manager has suppressed the error of the block, as it would in an ``ExitStack``."""
        return self.unwinding is not None and self.unwinding.error is None

    # -- what elements need ----------------------------------------------------------------------

    def check(self) -> None:
        """Raise if this container is disposed, or if this is not its thread.

        Raises:
            ContainerDisposedError: it was disposed.
            WrongThreadError: this is another thread.
        """
        if get_ident() != self._thread:
            raise WrongThreadError(self)
        if self._disposed:
            raise ContainerDisposedError(self)
        self.scheduler.serve()

    def _check_thread(self) -> None:
        if get_ident() != self._thread:
            raise WrongThreadError(self)

    def find(self, provider: Any) -> Element:
        """Return the element of a provider, mounting it in the container where it belongs."""
        elements = self.elements
        if provider in elements:
            return elements[provider]
        if provider.ephemeral:
            return cast("Element", provider.node_in(self))
        if self.closing:
            raise ContainerClosingError(provider, self)
        element = elements[provider] = element_of_owner(self, provider)
        if element.host is not self and provider.settings.auto_dispose:
            if element.holders is None:
                element.holders = {}
            element.holders[self] = None
        return element

    def forget(self, element: Element) -> None:
        """Drop a disposed element from this container's table and from those of its children."""
        for container in (self, *(element.holders or ())):
            if container.elements.get(element.provider) is element:
                del container.elements[element.provider]
        element.holders = None

    def report(self, error: BaseException, provider: object) -> None:
        """Take an error that no caller can see: for ``aclose`` while it runs, else for ``on_error``.

        During a walk of the graph it is kept for the end of the walk. What is no Exception, such as a
        KeyboardInterrupt, is raised there, when everything else has been done.
        """
        if error is self.scheduler.too_deep:
            return  # it unwinds builds, and whatever a callback has caught it for: the outermost build raises it
        interrupts = not isinstance(
            error, (Exception, CancelledError)
        )  # a callback, which never waits, is not cancelled
        if self.scheduler.depth and interrupts and self._collected is None:
            self.scheduler.interrupt(error)
        else:
            self.report_failure(error, provider)

    def report_failure(self, error: BaseException, provider: object) -> None:
        """Take the error of a build, which the provider's state shows as well: it is reported and never raised."""
        collected = self._collected
        if collected is not None:
            collected.append(error)
        elif self.scheduler.depth:
            self.scheduler.callbacks.append((self._report, (error, provider)))
        else:
            self._report(error, provider)

    @property
    def _collected(self) -> list[BaseException] | None:
        return None if self._cleanup is None else self._cleanup.collected

    def _report(self, error: BaseException, provider: object) -> None:
        try:
            call(self._on_error, error, provider)
        except Exception as broken:
            log_error(error, provider)
            log_error(broken, provider)

    def in_background(self, work: Awaitable[object], provider: object) -> None:
        """Run clean-up on the running loop; ``aclose`` waits for it, and its failure is reported."""
        self._own_cleanup().start(work, provider, self.report)

    def tell(self, event: str, context: ProviderObserverContext, *arguments: object) -> None:
        """Call a method of every observer; an error in one stops no other."""
        for observer in self.observers:
            try:
                call(getattr(observer, event), context, *arguments)
            except Exception as error:
                self.report(error, observer)

    def __repr__(self) -> str:
        state = "disposed" if self._disposed else f"{len(self.elements)} providers"
        return f"<ProviderContainer at {id(self):#x}, depth {self.depth}, {state}>"


def _provider_of(subject: object) -> object:
    return subject.provider if isinstance(subject, Element) else subject
