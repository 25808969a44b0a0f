"""The scope of a transaction: the transaction of the writer, or a savepoint in it."""

from collections.abc import Callable
from typing import Protocol

import attrs

from .connection_thread import ConnectionThread
from .group_commit import release, restore, save


class Scope(Protocol):
    """Work that is committed or rolled back as a whole; :class:`~.writer.Writer` is the outermost scope."""

    async def begin(self, wanted: Callable[[], bool]) -> None:
        """Begin it; the wait for another process' lock ends when it is no longer ``wanted``."""
        ...

    async def commit(self) -> None:
        """Keep the work."""
        ...

    async def rollback(self) -> None:
        """Undo the work, unless it is undone already."""
        ...


@attrs.frozen
class Savepoint:
    """A scope inside another one; ``depth`` is the number of scopes around it."""

    _connection_thread: ConnectionThread
    _depth: int

    async def begin(self, wanted: Callable[[], bool]) -> None:
        """Set the savepoint; the lock is held already."""
        await self._connection_thread.call(save, self._depth)

    async def commit(self) -> None:
        """Merge the work into the outer scope."""
        await self._connection_thread.call(release, self._depth)

    async def rollback(self) -> None:
        """Roll back to the savepoint."""
        await self._connection_thread.call(restore, self._depth)
