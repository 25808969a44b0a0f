"""The result of ``Database.open``: an async context manager that can also be awaited."""

from collections.abc import Callable, Coroutine, Generator
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar

import attrs


class AsyncCloseable(Protocol):
    """An object with an async ``aclose``."""

    async def aclose(self) -> None:
        """Close it."""
        ...


T = TypeVar("T", bound=AsyncCloseable)


@attrs.define(eq=False)
class Opening(Generic[T]):
    """``async with opening`` opens and closes; after ``await opening`` the caller closes."""

    _open: Callable[[], Coroutine[Any, Any, T]]
    _opened: T | None = None

    async def __aenter__(self) -> T:
        self._opened = await self._open()
        return self._opened

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.aclose()

    def __await__(self) -> Generator[Any, None, T]:
        return self._open().__await__()
