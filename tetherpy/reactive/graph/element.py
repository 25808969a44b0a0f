"""The node of a provider in a container: value, edges and users.

``node_states`` has its states, ``dependencies`` and ``users`` its edges. ``marking`` marks nodes, and
``updates`` builds them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from contextvars import Context
from typing import Any, Final, Protocol, TypeAlias
from weakref import WeakValueDictionary

from ..container.observer import ProviderObserver
from ..lifecycle.context_managers import Unwinding
from ..lifecycle.hooks import Hooks
from ..lifecycle.teardown import Teardown
from .node_states import DIRTY
from .retries.retry_policy import Retry
from .scheduler import Scheduler

Change: TypeAlias = tuple[Any, Any, Any]
"""A change of a dependency: the listenable, the value before, the value or error after."""

NO_VALUE: Final = object()
"""The value of an element before its first build and while it is in error; different from any other value."""

NO_VARIABLES: Final = Context()
"""The context of listeners that were registered without context variables: they run in a new context."""


class Build:
    """One run of a provider's function: its cause, and the disposers it has registered."""

    __slots__ = ("cause", "element", "hooks", "reads")

    element: Element
    cause: object
    hooks: Hooks | None
    reads: dict[Element, None] | None
    """Elements read without watching: a teardown that may still use them ends before they do."""


class Listener(Protocol):
    """A user outside the graph that is notified of changes."""

    def notify(self, previous: Any, value: Any, failure: Exception | None) -> None:
        """Deliver a new value, or an error instead of it."""
        ...

    def close(self) -> None:
        """Stop listening."""
        ...

    @property
    def weak(self) -> bool:
        """Whether it neither builds the provider nor keeps it alive."""
        ...

    @property
    def is_paused(self) -> bool:
        """Whether it is paused, and so not an active user."""
        ...

    @property
    def context(self) -> Context | None:
        """The context variables of its registration; it is called and its provider rebuilt in them."""
        ...


class Flow(Protocol):
    """The asynchronous side of an element."""

    def pause(self) -> list[tuple[Element, bool]]:
        """Stop pulling from the source.

        Returns:
            What was held, which the caller has to release.
        """
        ...

    def resume(self) -> None:
        """Pull again."""
        ...

    def stop(self, teardown: Teardown | None = None) -> None:
        """Cancel the current build; the teardown of the build waits for its end."""
        ...

    def interrupted(self) -> None:
        """Note that the event loop ended before the build."""
        ...

    @property
    def building(self) -> bool:
        """Whether the provider's function is running and may still watch."""
        ...

    @property
    def done(self) -> bool:
        """Whether the current build runs nothing that a teardown would have to end."""
        ...

    @property
    def held(self) -> list[tuple[Element, bool]]:
        """The elements kept in use for the running build; True for those held as an active user."""
        ...

    def hold(self, source: Element) -> None:
        """Keep a dependency of the last build in use until this build watches it again or ends."""
        ...

    def give_up(self, error: BaseException) -> None:
        """Reject the future with the error that interrupted the refresh; the next build creates a new future."""
        ...

    def dispose(self) -> None:
        """End permanently: a pending future is rejected."""
        ...


class Host(Protocol):
    """What an element needs of its container."""

    elements: dict[Any, Element]
    edges_moved: bool
    scheduler: Scheduler[Element]
    observers: tuple[ProviderObserver, ...]
    retry: Retry | None
    closing: bool
    scope: str | None
    unwinding: Unwinding | None

    @property
    def parent(self) -> Host | None:
        """The parent container, None for a root."""
        ...

    writers: WeakValueDictionary[Any, Any] | None

    def find(self, provider: Any) -> Element:
        """Return the element of a provider; a new one is mounted in the container that owns it."""
        ...

    def check(self) -> None:
        """Raise if the container is disposed or used in a wrong thread."""
        ...

    def report(self, error: BaseException, provider: object) -> None:
        """Report an error that no caller can see to ``on_error``."""
        ...

    def report_failure(self, error: BaseException, provider: object) -> None:
        """Report the error of a build to ``on_error``."""
        ...

    def in_background(self, work: Awaitable[object], provider: object) -> None:
        """Run asynchronous clean-up that the container waits for when it is closed."""
        ...

    def call_soon_threadsafe(self, fn: Callable[[], object]) -> None:
        """Call a function in the container's thread."""
        ...

    def forget(self, element: Element) -> None:
        """Remove a disposed element from the tables."""
        ...


class Element:
    """A node of the graph.

    ``sources`` are the nodes it has read, in order; ``observers`` those that have read it (None, a tuple of
    one, or a dict used as an ordered set: most nodes have one observer, and a dict costs 232 bytes);
    ``listeners`` are the users outside the graph (a tuple, or a dict once there are many). ``active`` counts the
    users that are not paused themselves, ``interest`` the users other than observers: listeners that are not weak,
    and builds and futures that keep the element. ``context`` is that of the first active listener, or None if it is
    not known. ``holders`` are the child containers that have it in their tables.

    Writers of the slots: ``dependencies`` and ``users`` write the edges and counts, ``updates`` the value, the failure
    and the progress of a build, ``invalidation`` and ``disposal`` the end of one. ``node_states`` lists all moves of
    ``state``.
    """

    __slots__ = (
        "active",
        "build_type",
        "cause",
        "context",
        "create",
        "differs",
        "failure",
        "flow",
        "fresh",
        "holders",
        "host",
        "idx",
        "interest",
        "listeners",
        "mark",
        "notifier",
        "observers",
        "provider",
        "ref",
        "sources",
        "state",
        "value",
    )

    def __init__(self, host: Host, provider: Any, create: Callable[[Any], Any] | None) -> None:
        self.host = host
        self.provider = provider
        self.create: Any = create
        #: Copied from the provider, because each build reads it and a slot is faster than a class attribute.
        self.build_type: type[Build] = provider.build_type
        self.state = DIRTY
        self.value: Any = NO_VALUE
        self.failure: Exception | None = None
        self.ref: Any = None
        #: The reason of the next build: None (never built), an Invalidation, or a Change.
        self.cause: object = None
        self.sources: tuple[Element, ...] = ()
        self.observers: Any = None
        self.listeners: Collection[Listener] = ()
        self.context: Context | None = None
        self.active = 0
        self.idx = 0
        self.fresh: list[Element] | None = None
        self.mark: object = None
        self.differs: Callable[[Any, Any], bool] | None = None
        self.notifier: Any = None
        self.flow: Flow | None = None
        self.interest = 0
        self.holders: dict[Host, None] | None = None

    def __repr__(self) -> str:
        return f"<element of {self.provider!r}>"
