"""Errors of the Textual binding."""

from __future__ import annotations

from tetherpy.errors import message

from ..errors import UiError


@message(
    "There is no ProviderContainer above {node!r}. Derive the app from ProviderApp, or put the widget "
    "into a ProviderScope. Access it only after the widget is mounted."
)
class NoProviderScopeError(UiError):
    """Raised for a node without a container above it.

    Attributes:
        node: the widget, screen or app.
    """

    node: object
