"""The protocols between a source of values and the flow that takes them."""

from __future__ import annotations

from typing import Any, Protocol

from ..graph.element import Element
from ..lifecycle.teardown import Teardown


class Sink(Protocol):
    """What takes the values: the flow of an element."""

    element: Element

    def data(self, value: Any) -> None:
        """Take a value."""
        ...

    def error(self, error: Exception) -> None:
        """Take a failure."""
        ...

    def ended(self) -> None:
        """Take note that nothing more will come."""
        ...

    def become(self, state: Any) -> None:
        """Take a whole AsyncValue."""
        ...


class Source(Protocol):
    """A running source."""

    @property
    def building(self) -> bool:
        """Whether the provider's function is still running, and may watch more."""
        ...

    def pause(self) -> None:
        """Stop pulling; keep the last event that comes all the same."""
        ...

    def resume(self) -> None:
        """Pull again, delivering what was kept."""
        ...

    def stop(self, teardown: Teardown | None) -> None:
        """End for good; it delivers nothing more. The teardown waits until what it runs has ended."""
        ...
