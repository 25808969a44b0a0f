"""The one connection that writes: a queue of operations, and of transactions that want it alone."""

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable
from typing import Any

import attrs

from .channel import Channel
from .commits import (
    Operation,
    Outcome,
    begin,
    commit,
    commit_together,
    guarded,
    rollback,
)
from .errors import DatabaseClosedError

LOG = logging.getLogger("tetherpy.database")

#: The most operations that share one transaction.
SHARED_LIMIT = 256


@attrs.frozen(eq=False)
class Turn:
    """A transaction's wish to have the writer to itself."""

    holder: object
    granted: "asyncio.Future[None]"


@attrs.define(eq=False)
class Writer:
    """First come, first served; operations that stand next to each other in the queue share a transaction."""

    channel: Channel
    _patience: float
    _ring: Callable[[], None]
    #: Who has the writer to itself at the moment.
    holder: object = None
    _queue: deque[Operation | Turn] = attrs.Factory(deque["Operation | Turn"])
    _busy: bool = False
    _commits: "asyncio.Task[None] | None" = None
    _closed: bool = False

    async def run(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        answer: Callable[[sqlite3.Connection], Any] | None = None,
    ) -> Any:
        """Run one operation in a transaction, together with whatever else is waiting."""
        future = asyncio.get_running_loop().create_future()
        self._enqueue(Operation(function, args, future, answer))
        return await future

    async def acquire(self, holder: object) -> None:
        """Wait until ``holder`` has the writer to itself, after everything queued before."""
        turn = Turn(holder, asyncio.get_running_loop().create_future())
        self._enqueue(turn)
        try:
            await turn.granted
        except asyncio.CancelledError:
            if turn.granted.cancelled():
                self._queue.remove(turn)
            else:
                self.release()
            raise

    def release(self) -> None:
        """Let the next one have the writer."""
        self.holder = None
        self._busy = False
        self._advance()

    async def begin(self, wanted: Callable[[], bool]) -> None:
        """Begin the holder's transaction."""
        await self.channel.call(begin, self._patience, wanted)

    async def commit(self) -> None:
        """Commit the holder's transaction."""
        await self.channel.call(commit, self._ring)

    async def rollback(self) -> None:
        """Roll back the holder's transaction, if there still is one."""
        await self.channel.call(rollback)

    async def inside(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Run a function inside the holder's transaction."""
        return await self.channel.call(guarded, function, args)

    async def close(self) -> None:
        """Finish the operations that no transaction keeps waiting, refuse the others, then close."""
        self._closed = True
        while self._commits is not None:
            await asyncio.wait([self._commits])
        for waiting in self._queue:
            future = waiting.future if isinstance(waiting, Operation) else waiting.granted
            if not future.done():
                future.set_exception(DatabaseClosedError(self.channel.path))
        self._queue.clear()
        await self.channel.close()

    def _enqueue(self, wish: Operation | Turn) -> None:
        if self._closed:
            raise DatabaseClosedError(self.channel.path)
        self._queue.append(wish)
        self._advance()

    def _advance(self) -> None:
        if self._busy or not self._queue:
            return
        self._busy = True
        if isinstance(first := self._queue[0], Turn):
            self._queue.popleft()
            self.holder = first.holder
            first.granted.set_result(None)
        else:
            # Begins with the loop's next turn, so that everything asked for in this one is in it.
            self._commits = asyncio.get_running_loop().create_task(self._commit_operations())

    async def _commit_operations(self) -> None:
        try:
            while operations := self._take_operations():
                for operation, outcome in zip(operations, await self._outcomes(operations), strict=True):
                    self._settle(operation.future, outcome)
        finally:
            self._commits = None
            self.release()

    async def _outcomes(self, operations: list[Operation]) -> list[Outcome]:
        try:
            return await self.channel.call(commit_together, operations, self._patience, self._ring)
        except asyncio.CancelledError:
            # The loop is shutting down: whoever waits must hear of it too.
            for operation in operations:
                operation.future.cancel()
            raise
        except Exception as error:  # the rollback itself failed; handed to the callers
            return [Outcome(error=error) for _ in operations]

    def _take_operations(self) -> list[Operation]:
        taken: list[Operation] = []
        queue = self._queue
        while queue and len(taken) < SHARED_LIMIT and isinstance(first := queue[0], Operation):
            queue.popleft()
            taken.append(first)
        return taken

    def _settle(self, future: "asyncio.Future[Any]", outcome: Outcome) -> None:
        """Give the waiting task its outcome; of one that was cancelled meanwhile a failure is logged."""
        error = outcome.error
        if future.done():
            if error is not None:
                LOG.warning("an operation failed after its caller was cancelled", exc_info=error)
        elif error is not None:
            future.set_exception(self.channel.explained(error))
        else:
            future.set_result(outcome.value)
