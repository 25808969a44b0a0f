"""The protocols between a source of values and the flow that takes them."""

from __future__ import annotations

from typing import Any, Protocol

from ..graph.element import Element
from ..lifecycle.teardown import Teardown


class Sink(Protocol):
    """A receiver of values: the flow of an element."""

    element: Element

    def data(self, value: Any) -> None:
        """Take a value."""
        ...

    def error(self, error: Exception) -> None:
        """Take a failure."""
        ...

    def ended(self) -> None:
        """Note that no more values follow."""
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

    @property
    def done(self) -> bool:
        """Whether it runs nothing, so that stopping it has no effect that others could wait for or notice."""
        ...

    def pause(self) -> None:
        """Stop pulling; an event that arrives while paused is kept, the last one only."""
        ...

    def resume(self) -> None:
        """Pull again, and deliver the kept event."""
        ...

    def stop(self, teardown: Teardown | None) -> None:
        """End permanently, without delivering more. The teardown waits for the end of the task."""
        ...
