"""The base class of objects that a ``with`` block closes."""

from __future__ import annotations

from types import TracebackType
from typing import Self


class Closable:
    """Base of objects that are closed at the end of their ``with`` block, whatever its error."""

    __slots__ = ()

    def close(self) -> None:
        """Close it; a second call does nothing."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
