"""What a transaction opens and ends: the writer's own transaction, or a savepoint inside it."""

from collections.abc import Callable
from typing import Protocol

import attrs

from .connection_thread import ConnectionThread
from .group_commit import release, restore, save


class Scope(Protocol):
    """A stretch of work that is kept or undone as a whole; :class:`~.writer.Writer` is the outermost one."""

    async def begin(self, wanted: Callable[[], bool]) -> None:
        """Open it; waiting for another process' lock lasts only as long as it is ``wanted``."""
        ...

    async def commit(self) -> None:
        """Keep the work."""
        ...

    async def rollback(self) -> None:
        """Undo the work, if anything is left to undo."""
        ...


@attrs.frozen
class Savepoint:
    """A scope inside another; ``depth`` counts how many are around it."""

    _connection_thread: ConnectionThread
    _depth: int

    async def begin(self, wanted: Callable[[], bool]) -> None:
        """Mark the point to go back to; the lock is held already."""
        await self._connection_thread.call(save, self._depth)

    async def commit(self) -> None:
        """Give the work to the scope around it."""
        await self._connection_thread.call(release, self._depth)

    async def rollback(self) -> None:
        """Go back to the point."""
        await self._connection_thread.call(restore, self._depth)
