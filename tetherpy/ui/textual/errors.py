"""Errors of the Textual binding."""

from __future__ import annotations

from ..errors import UiError


class NoProviderScopeError(UiError):
    """Raised for a node without a container above it.

    Attributes:
        node: the widget, screen or app.
    """

    def __init__(self, node: object) -> None:
        super().__init__(
            f"There is no ProviderContainer above {node!r}. Derive the app from ProviderApp, or put the widget "
            "into a ProviderScope. Access it only after the widget is mounted."
        )
        self.node = node
