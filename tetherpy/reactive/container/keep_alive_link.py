"""A link that keeps an auto-dispose provider alive."""

from __future__ import annotations

from threading import get_ident

from ..errors import WrongThreadError
from ..graph.element import Element
from ..graph.users import request_disposal
from ..lifecycle.hooks import Hooks


class KeepAliveLink:
    """Keeps an auto-dispose provider alive until closed."""

    __slots__ = ("_element", "_hooks")

    def __init__(self, element: Element, hooks: Hooks) -> None:
        self._element = element
        self._hooks = hooks
        if hooks.links is None:
            hooks.links = set()
        hooks.links.add(self)

    @property
    def closed(self) -> bool:
        """Whether it was closed, or its build has ended."""
        return self._hooks.links is None or self not in self._hooks.links

    def close(self) -> None:
        """Stop keeping the provider alive: it is disposed once it is unused. A second call does nothing.

        Raises:
            WrongThreadError: called from another thread, by a ``threading.Timer`` for example.
        """
        host = self._element.host
        if get_ident() != host.scheduler.thread:
            raise WrongThreadError(host)
        links = self._hooks.links
        if links is not None and self in links:
            links.discard(self)
            request_disposal(self._element)
