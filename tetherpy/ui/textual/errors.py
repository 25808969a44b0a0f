"""Errors of the Textual binding."""

from __future__ import annotations

from ..errors import UiError


class NoProviderScopeError(UiError):
    """Raised when no container is to be found above a node.

    Attributes:
        node: the widget, screen or app that was to find one.
    """

    def __init__(self, node: object) -> None:
        super().__init__(
            f"There is no ProviderContainer above {node!r}. Derive the app from ProviderApp, or put the widget "
            "into a ProviderScope; and ask only after the widget has been mounted."
        )
        self.node = node
