"""Errors of the graph drawings."""

from __future__ import annotations

from tetherpy.errors import TetherError, message


@message(
    "The graph is too large for a picture: {providers:,} providers and {arrows:,} arrows. "
    "Use --format text or mermaid, or draw a smaller container."
)
class GraphTooLargeError(TetherError):
    """Raised for a graph that is too large for a picture."""

    providers: int
    arrows: int
