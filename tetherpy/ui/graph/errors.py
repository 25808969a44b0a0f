"""Every error of drawing graphs."""

from __future__ import annotations

from tetherpy.errors import TetherError


class GraphTooLargeError(TetherError):
    """A graph has more providers, or more and longer arrows, than a picture can show."""

    def __init__(self, providers: int, arrows: int) -> None:
        self.providers = providers
        self.arrows = arrows
        super().__init__(
            f"The graph has {providers:,} providers and {arrows:,} arrows, and a picture of so many could not be read. "
            "Use --format text or mermaid, or look at a smaller container."
        )
