"""Errors of the graph drawings."""

from __future__ import annotations

from tetherpy.errors import TetherError


class GraphTooLargeError(TetherError):
    """Raised for a graph that is too large for a picture."""

    def __init__(self, providers: int, arrows: int) -> None:
        self.providers = providers
        self.arrows = arrows
        super().__init__(
            f"The graph is too large for a picture: {providers:,} providers and {arrows:,} arrows. "
            "Use --format text or mermaid, or draw a smaller container."
        )
