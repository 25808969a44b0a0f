"""The live node of a provider in a container: its value, its edges, and who uses it.

Its states are in ``states``, who observes whom in ``edges``, marking and bringing up to date in ``propagation``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol, TypeAlias
from weakref import WeakValueDictionary

from .lifecycle import Hooks
from .observer import ProviderObserver
from .retry import Retry
from .scheduler import Scheduler
from .states import DIRTY

Change: TypeAlias = tuple[Any, Any, Any]
"""A change of something that was read: whose (a listenable), the value before, the value or error after."""

NO_VALUE: Final = object()
"""What an element holds before its first build and while it is in error; different from any value."""


class Build:
    """One run of a provider's function: what it was caused by, and what it left to be undone."""

    __slots__ = ("cause", "element", "hooks")

    element: Element
    cause: object
    hooks: Hooks | None


class Listener(Protocol):
    """Somebody outside the graph who is told of changes."""

    def notify(self, previous: Any, value: Any, failure: Exception | None) -> None:
        """Deliver a new value, or the error that stands in its place."""
        ...

    def close(self) -> None:
        """Stop listening."""
        ...

    @property
    def weak(self) -> bool:
        """Whether it neither builds the provider nor keeps it alive."""
        ...


class Flow(Protocol):
    """The asynchronous side of an element."""

    def pause(self) -> None:
        """Stop pulling from the source."""
        ...

    def resume(self) -> None:
        """Pull again."""
        ...

    def stop(self) -> None:
        """Cancel what the current build is doing."""
        ...

    def interrupted(self) -> None:
        """Take note that the event loop ended before the build did."""
        ...

    @property
    def building(self) -> bool:
        """Whether the provider's function has begun and may still watch."""
        ...

    def hold(self, source: Element) -> None:
        """Keep in use what the last build watched until this one has watched it again or ended."""
        ...

    def dispose(self) -> None:
        """End for good: whoever still waits learns that nothing will come."""
        ...


class Host(Protocol):
    """What an element needs of its container."""

    elements: dict[Any, Element]
    edges_moved: bool
    scheduler: Scheduler[Element]
    observers: tuple[ProviderObserver, ...]
    retry: Retry | None
    writers: WeakValueDictionary[Any, Any] | None

    def find(self, provider: Any) -> Element:
        """Return the element of a provider, mounting it where it belongs."""
        ...

    def check(self) -> None:
        """Raise if the container is disposed or this is another thread."""
        ...

    def report(self, error: BaseException, provider: object) -> None:
        """Hand an error that nobody else will see to ``on_error``."""
        ...

    def in_background(self, work: Awaitable[object], provider: object) -> None:
        """Run asynchronous clean-up that the container waits for when it is closed."""
        ...

    def call_soon_threadsafe(self, fn: Callable[[], object]) -> None:
        """Have a function called in the container's thread."""
        ...

    def forget(self, element: Element) -> None:
        """Drop a disposed element from the tables."""
        ...


class Element:
    """A node of the graph.

    ``sources`` are the nodes it has read, in order; ``observers`` those that have read it (None, a tuple of
    one, or a dict used as an ordered set: most nodes have one observer, and a dict costs 232 bytes);
    ``listeners`` is the outside world. ``active`` counts the users that are not paused themselves.
    """

    __slots__ = (
        "active",
        "cause",
        "create",
        "differs",
        "failure",
        "flow",
        "fresh",
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
        self.state = DIRTY
        self.value: Any = NO_VALUE
        self.failure: Exception | None = None
        self.ref: Any = None
        #: Why the next build is due: None (never built), an Invalidation, or a Change.
        self.cause: object = None
        self.sources: tuple[Element, ...] = ()
        self.observers: Any = None
        self.listeners: tuple[Listener, ...] = ()
        self.active = 0
        self.idx = 0
        self.fresh: list[Element] | None = None
        self.mark: object = None
        self.differs: Callable[[Any, Any], bool] | None = None
        self.notifier: Any = None
        self.flow: Flow | None = None
        self.interest = 0

    def __repr__(self) -> str:
        return f"<element of {self.provider!r}>"
