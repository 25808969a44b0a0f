"""Where the containers of a Textual app are: on the app, and on scopes within it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from textual.app import App
from textual.containers import Container
from textual.dom import DOMNode
from textual.widget import Widget

from tetherpy.reactive import Override, ProviderContainer, ProviderObserver

from .errors import NoProviderScopeError

R = TypeVar("R")


def container_of(node: DOMNode) -> ProviderContainer:
    """Return the container of the nearest scope at or above a widget, a screen or an app.

    Raises:
        NoProviderScopeError: there is none, or the widget is not mounted.
    """
    for above in node.ancestors_with_self:
        if isinstance(above, ProviderScope | ProviderApp):
            return above.container
    raise NoProviderScopeError(node)


def app_of(node: DOMNode) -> App[Any]:
    """Return the app of a node, typed: Textual leaves open what its apps return."""
    return node.app  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


class ProviderApp(App[R], Generic[R]):
    """An app with a ProviderContainer, in whose event loop the providers live.

    Args:
        container: the container of the app; whoever made it closes it. None makes one that is closed with the app.
        overrides: replacements for providers, in the container that is made.
        observers: told of everything that happens in the container that is made.
        options: as for ``App``.
    """

    def __init__(
        self,
        container: ProviderContainer | None = None,
        *,
        overrides: Iterable[Override] = (),
        observers: Iterable[ProviderObserver] = (),
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._own_container = container is None
        if container is None:
            container = ProviderContainer(overrides=overrides, observers=observers)
        self._container = container

    @property
    def container(self) -> ProviderContainer:
        """The root container of this app."""
        return self._container

    async def on_unmount(self) -> None:
        """Close the container when all widgets are gone."""
        if self._own_container:
            await self._container.aclose()


class ProviderScope(Container):
    """A part of the screen with a child container of its own: overrides hold for what is inside.

    Args:
        children: the widgets inside.
        overrides: replacements for providers that name their ``dependencies``.
        observers: told of what happens in this scope.
        options: as for ``Container``.
    """

    def __init__(
        self,
        *children: Widget,
        overrides: Iterable[Override] = (),
        observers: Iterable[ProviderObserver] = (),
        **options: Any,
    ) -> None:
        super().__init__(*children, **options)
        self._overrides = tuple(overrides)
        self._observers = tuple(observers)
        self._container: ProviderContainer | None = None

    @property
    def container(self) -> ProviderContainer:
        """The container of this scope, made when first asked for.

        Raises:
            NoProviderScopeError: this scope is not mounted in one.
        """
        if self._container is None:
            if self.parent is None:
                raise NoProviderScopeError(self)
            above = container_of(self.parent)
            self._container = ProviderContainer(parent=above, overrides=self._overrides, observers=self._observers)
        return self._container

    async def on_unmount(self) -> None:
        """Close the container when the widgets inside are gone."""
        container, self._container = self._container, None
        if container is not None:
            await container.aclose()
