"""What can be watched, read and listened to, and how a container finds the node behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Generic, Self, TypeVar

from ..providers.provider_options import DEFAULT, ProviderOptions
from .element import Build, Element, Host
from .propagation import depend_on

T_co = TypeVar("T_co", covariant=True)
R = TypeVar("R")


class ProviderListenable(Generic[T_co]):
    """Base of providers and of what is derived from one on the spot (``select``, ``future``, ``notifier``)."""

    __slots__ = ()

    build_type: ClassVar[type[Build]] = Build
    """What the function of a node is called with."""
    settings: ProviderOptions = DEFAULT
    """How it behaves; what is derived on the spot has nothing special."""
    ephemeral: ClassVar[bool] = True
    """Whether a node of this goes at once with its last user, and is not found again by others."""
    synthetic: ClassVar[bool] = True
    """Whether it is no provider that somebody declared, so that observers are not told of it (Riverpod)."""

    @property
    def name(self) -> str:
        """The name that messages, logs and graphs show."""
        raise NotImplementedError

    @property
    def origin(self) -> Any:
        """The provider that this is, or is derived from."""
        raise NotImplementedError

    def node_in(self, host: Host) -> Element:
        """Return the live node of this in a container, mounting it if needed (not built yet)."""
        raise NotImplementedError

    def read_in(self, host: Host) -> T_co:
        """Return the current value in a container, for a reader outside the graph."""
        raise NotImplementedError

    def __copy__(self) -> Self:
        return self  # it is compared by identity: a copy would be another provider

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def select(self, selector: Callable[[T_co], R]) -> Selector[T_co, R]:
        """Listen to a part only: who watches it is rebuilt when ``selector(value)`` changes by ``!=``.

        Args:
            selector: a pure function of the value.
        """
        return Selector(self, selector)


class Refreshable(ProviderListenable[T_co]):
    """What ``refresh`` accepts: a provider, its ``future`` or its ``notifier``; the origin is invalidated."""

    __slots__ = ()


class Selector(ProviderListenable[R], Generic[T_co, R]):
    """A part of a listenable; made by ``select``."""

    __slots__ = ("_selector", "_source")

    def __init__(self, source: ProviderListenable[T_co], selector: Callable[[T_co], R]) -> None:
        self._source = source
        self._selector = selector

    @property
    def name(self) -> str:
        """The name of the source, with the fact that a part of it was selected."""
        return f"{self._source.name}.select"

    @property
    def origin(self) -> Any:
        """The provider behind the source."""
        return self._source.origin

    def __repr__(self) -> str:
        return f"{self._source!r}.select({getattr(self._selector, '__name__', '...')})"

    def read_in(self, host: Host) -> R:
        """Return the selected part of the current value."""
        return self._selector(self._source.read_in(host))

    def node_in(self, host: Host) -> Element:
        """Return a new node of its own, gone again with its last user."""
        source = self._source.node_in(host)
        selector = self._selector
        return Element(host, self, lambda build: selector(depend_on(build.element, source)))
