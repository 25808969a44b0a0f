"""Listenables: providers and parts of them that can be watched, read and listened to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Generic, Self, TypeVar

from ..providers.provider_options import DEFAULT, ProviderOptions
from .element import Build, Element, Host
from .updates.watch import depend_on

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
L = TypeVar("L", bound="ProviderListenable[Any]")
R = TypeVar("R")


class ProviderListenable(Generic[T_co]):
    """Base of providers and of views on a provider (``select``, ``future``, ``notifier``)."""

    __slots__ = ()

    build_type: ClassVar[type[Build]] = Build
    """The type of the argument of a node's function."""
    settings: ProviderOptions = DEFAULT
    """Its options; views have the default options."""
    ephemeral: ClassVar[bool] = True
    """Whether its node belongs to one user and is removed with it, as for views."""
    synthetic: ClassVar[bool] = True
    """Whether it is not a declared provider, so that observers are not notified of it (Riverpod)."""

    @property
    def name(self) -> str:
        """The name that messages, logs and graphs show."""
        raise NotImplementedError

    @property
    def origin(self) -> Any:
        """The provider itself, or the provider of a view."""
        raise NotImplementedError

    def node_in(self, host: Host) -> Element:
        """Return its node in a container, mounted if needed but not built."""
        raise NotImplementedError

    def read_in(self, host: Host) -> T_co:
        """Return the current value in a container, for a reader outside the graph."""
        raise NotImplementedError

    def __copy__(self) -> Self:
        return self  # it is compared by identity: a copy would be another provider

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def select(self, selector: Callable[[T_co], R]) -> Selector[T_co, R]:
        """Return a view of a part; its watchers are rebuilt only when ``selector(value)`` changes by ``!=``.

        Args:
            selector: a pure function of the value.
        """
        return Selector(self, selector)


class Refreshable(ProviderListenable[T_co]):
    """Base of the arguments of ``refresh``: a provider, its ``future`` or its ``notifier``."""

    __slots__ = ()


class View(ProviderListenable[R], Generic[L, R]):
    """Base of the views on a listenable, their source."""

    __slots__ = ("_source",)

    part: ClassVar[str]
    """The name of the attribute or method of the source that returns the view."""

    def __init__(self, source: L) -> None:
        self._source = source

    @property
    def name(self) -> str:
        """The name of the source, followed by that of the part."""
        return f"{self._source.name}.{self.part}"

    @property
    def origin(self) -> Any:
        """The source."""
        return self._source

    def __repr__(self) -> str:
        return f"{self._source!r}.{self.part}"


class Selector(View[ProviderListenable[T], R], Generic[T, R]):
    """A part of a listenable; returned by ``select``."""

    __slots__ = ("_selector",)

    part = "select"

    def __init__(self, source: ProviderListenable[T], selector: Callable[[T], R]) -> None:
        self._source = source
        self._selector = selector

    @property
    def origin(self) -> Any:
        """The provider behind the source, which may be a view."""
        return self._source.origin

    def __repr__(self) -> str:
        return f"{super().__repr__()}({getattr(self._selector, '__name__', '...')})"

    def read_in(self, host: Host) -> R:
        """Return the selected part of the current value."""
        return self._selector(self._source.read_in(host))

    def node_in(self, host: Host) -> Element:
        """Return a new node, which is removed with its last user."""
        source = self._source.node_in(host)
        selector = self._selector
        return Element(host, self, lambda build: selector(depend_on(build.element, source)))
