"""The containers of a Textual app: on the app, and on scopes inside it."""

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
        NoProviderScopeError: there is no scope, or the widget is not mounted.
    """
    for above in node.ancestors_with_self:
        if isinstance(above, ProviderScope | ProviderApp):
            return above.container
    raise NoProviderScopeError(node)


def app_of(node: DOMNode) -> App[Any]:
    """Return the app of a node, with a type: Textual does not type the result of apps."""
    return node.app  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


class ProviderApp(App[R], Generic[R]):
    """An app with a ProviderContainer in its event loop.

    Args:
        container: the container of the app, closed by its creator. None creates one that is closed with the app.
        overrides: overrides of the created container.
        observers: observers of the created container.
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
        """Close the container after all widgets are unmounted."""
        if self._own_container:
            await self._container.aclose()


class ProviderScope(Container):
    """A part of the screen with its own child container; its overrides apply to the widgets inside.

    Args:
        children: the widgets inside.
        overrides: overrides of providers that declare their ``dependencies``.
        observers: observers of the child container.
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
        """The container of this scope, created on first access.

        Raises:
            NoProviderScopeError: there is no scope above this one, or it is not mounted.
        """
        if self._container is None:
            if self.parent is None:
                raise NoProviderScopeError(self)
            above = container_of(self.parent)
            self._container = ProviderContainer(parent=above, overrides=self._overrides, observers=self._observers)
        return self._container

    async def on_unmount(self) -> None:
        """Close the container after the widgets inside are unmounted."""
        container, self._container = self._container, None
        if container is not None:
            await container.aclose()
