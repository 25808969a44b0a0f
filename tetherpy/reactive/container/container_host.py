"""The part of a container that its elements use: tables, thread check, error reports, observers."""

from __future__ import annotations

import logging
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Iterable
from threading import get_ident
from typing import Any, Final, Self, TypedDict, cast
from weakref import WeakValueDictionary

from ..errors import ContainerClosingError, ContainerDisposedError, WrongThreadError
from ..graph import invariants
from ..graph.disposal import dispose_if_unused
from ..graph.element import Element
from ..graph.retries.retry_policy import Retry
from ..graph.scheduler import Scheduler
from ..graph.subscription import ProviderSubscription
from ..graph.updates.queued_refresh import refresh_queued
from ..lifecycle.callbacks import call
from ..lifecycle.cleanup import Cleanup
from ..lifecycle.context_managers import Unwinding
from ..lifecycle.running_loop import running_loop
from ..providers.provider_options import check_scope_name
from .observer import ProviderObserver, ProviderObserverContext
from .overrides import OverrideTable, Overriding, overrides_of
from .scoping import element_of_owner

NOTHING: Final[tuple[()]] = ()

OnContainerError = Callable[[BaseException, Any], object]

_logger = logging.getLogger("tetherpy.reactive")


def log_error(error: BaseException, provider: Any) -> None:
    """Log an unhandled error and its provider; this is the default ``on_error``."""
    _logger.error("Error in %r", provider, exc_info=error, extra={"provider": getattr(provider, "name", None)})


class ContainerOptions(TypedDict, total=False):
    """The arguments of a container; see ``ProviderContainer``."""

    overrides: Iterable[Overriding]
    observers: Iterable[ProviderObserver]
    retry: Retry | None
    on_error: OnContainerError | None
    scope: str | None
    separate: bool


class ContainerHost:
    """Base of ProviderContainer with the state and services that elements use."""

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
        "entered",
        "observers",
        "overrides",
        "parent",
        "retry",
        "root",
        "scheduler",
        "scope",
        "separate",
        "unwinding",
        "writers",
    )

    def __init__(
        self,
        *,
        overrides: Iterable[Overriding] = NOTHING,
        observers: Iterable[ProviderObserver] = (),
        retry: Retry | None = None,
        on_error: OnContainerError | None = None,
        parent: Self | None = None,
        scope: str | None = None,
        separate: bool = False,
    ) -> None:
        self.elements: dict[Any, Element] = {}
        #: Whether a node has added a dependency after its first build: then the order of the table may be wrong.
        self.edges_moved = False
        self.parent: Self | None = parent
        if scope is not None:
            check_scope_name(scope)
        self.scope = scope
        #: Whether providers without a scope that no parent has built live in this child, and not in the root.
        self.separate = separate
        self._disposed = False
        #: Whether a ``with`` block of it has begun.
        self.entered = False
        #: Whether it is being disposed: providers that were never built are refused from then on.
        self.closing = False
        #: The error that ended the container's block, passed to the context managers that are left because of it.
        self.unwinding: Unwinding | None = None
        self._children: dict[Any, None] | None = None
        self._cleanup: Cleanup | None = None
        self._guests: dict[ProviderSubscription[Any], None] | None = None
        #: The writers of persisted notifiers, by key; None until the first notifier persists.
        self.writers: WeakValueDictionary[Any, Any] | None = None
        self.overrides: OverrideTable | None = None
        if overrides is not NOTHING and (replaced := overrides_of(overrides)):
            self.overrides = OverrideTable(replaced, within=self.overridable)
        if parent is None:
            self.root: Self = self
            self.scheduler: Scheduler[Element] = Scheduler(refresh_queued, dispose_if_unused, self)
            if invariants.enabled:
                self.scheduler.check_with(invariants.auditor(self))
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
            self.scheduler.depth += 1
            try:
                self.tell("did_create_provider_container", ProviderObserverContext(self))
            finally:
                self.scheduler.leave()

    @property
    def disposed(self) -> bool:
        """Whether the container was disposed."""
        return self._disposed

    @property
    def children(self) -> tuple[Self, ...]:
        """The child containers that are not disposed."""
        return tuple(self._children or ())

    @property
    def overridable(self) -> frozenset[str] | None:
        """The scopes whose providers may be overridden here; None for all providers."""
        if self.parent is None or self.separate:
            return None
        return frozenset(()) if self.scope is None else frozenset((self.scope,))

    @property
    def depth(self) -> int:
        """How many containers are above this one; 0 for a root."""
        return 0 if self.parent is None else self.parent.depth + 1

    def check(self) -> None:
        """Check that this container can be used in this thread.

        Raises:
            ContainerDisposedError: it is disposed.
            WrongThreadError: the thread did not create it.
        """
        if get_ident() != self._thread:
            raise WrongThreadError(self)
        if self._disposed:
            raise ContainerDisposedError(self)
        loops = self.scheduler.loops
        if running_loop() is not loops.served:
            loops.serve()

    def _check_thread(self) -> None:
        if get_ident() != self._thread:
            raise WrongThreadError(self)

    def call_soon_threadsafe(self, fn: Callable[[], object]) -> None:
        """Call ``fn`` in this container's thread; may be called from any thread.

        Calls run one after another in the order of their arrival, and never during a build or a batch. They run on
        the event loop in which this container was last used; without one, when the container is used next.
        """
        self.scheduler.loops.call_soon_threadsafe(fn)

    def _in_own_thread(self, fn: Callable[[], object]) -> None:
        if get_ident() == self._thread:
            fn()
        else:
            self.call_soon_threadsafe(fn)

    def find(self, provider: Any) -> Element:
        """Return the element of a provider; a new one is mounted in the container that owns it."""
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
        """Remove a disposed element from the table of this container and of its children."""
        for container in (self, *(element.holders or ())):
            if container.elements.get(element.provider) is element:
                del container.elements[element.provider]
        element.holders = None

    def report(self, error: BaseException, provider: object) -> None:
        """Report an error that no caller can see: to ``aclose`` while it runs, else to ``on_error``.

        During a walk of the graph the error is kept until the end of the walk. A BaseException that is not an
        Exception, such as KeyboardInterrupt, is raised there after all other work.
        """
        if self.scheduler.unwinds(error):
            return  # a callback has caught the error that unwinds builds; the outermost build raises it
        interrupts = not isinstance(
            error, (Exception, CancelledError)
        )  # a callback, which never waits, is not cancelled
        scheduler = self.scheduler
        if not (interrupts and scheduler.depth and self._collected is None and scheduler.interrupt(error, provider)):
            self.report_failure(error, provider)

    def report_failure(self, error: BaseException, provider: object) -> None:
        """Report the error of a build; it is never raised here, because the state of the provider holds it."""
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
            call(self._on_error, error, self.provider_of(provider))
        except Exception as broken:
            log_error(error, provider)
            log_error(broken, provider)

    def provider_of(self, subject: object) -> object:
        """Return the provider of a node, and any other subject itself."""
        return subject.provider if isinstance(subject, Element) else subject

    def in_background(self, work: Awaitable[object], provider: object) -> None:
        """Run asynchronous clean-up on the running loop; ``aclose`` waits for it, and a failure is reported."""
        self._own_cleanup().start(work, provider, self.report)

    def tell(self, event: str, context: ProviderObserverContext, *arguments: object) -> None:
        """Call a method of every observer; an error in one observer does not affect the others."""
        for observer in self.observers:
            try:
                call(getattr(observer, event), context, *arguments)
            except BaseException as error:
                self.report(error, observer)

    def _own_cleanup(self) -> Cleanup:
        if self._cleanup is None:
            self._cleanup = Cleanup()
        return self._cleanup

    def __repr__(self) -> str:
        state = "disposed" if self._disposed else f"{len(self.elements)} providers"
        scope = "" if self.scope is None else f"scope {self.scope!r}, "
        return f"<ProviderContainer at {id(self):#x}, depth {self.depth}, {scope}{state}>"
