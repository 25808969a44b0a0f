"""The writer: a queue of operations and exclusive transactions for the one writing connection."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from typing import Any, TypeGuard

import attrs

from tetherpy.wait_queue import Waiter, WaitQueue

from .connection_thread import ConnectionThread
from .group_commit import Caller, Committed, Operation, Outcome, begin, commit, commit_together, guarded, rollback

LOG = logging.getLogger("tetherpy.database")

#: The most operations that share one transaction.
SHARED_LIMIT = 256


@attrs.frozen(eq=False)
class Turn:
    """A request of a transaction for exclusive use of the writer."""

    holder: object


@attrs.define(eq=False)
class Writer:
    """Serve requests in order of arrival; adjacent operations in the queue share a transaction (group commit)."""

    connection_thread: ConnectionThread
    _busy_timeout: float
    _committed: Committed
    #: The transaction that has exclusive use of the writer now.
    holder: object = None
    _queue: WaitQueue[Operation | Turn, Any] = attrs.field(
        init=False, default=attrs.Factory(lambda self: WaitQueue(self._advance), takes_self=True)
    )
    _busy: bool = False
    _commits: "asyncio.Task[None] | None" = None

    async def run(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        answer: Callable[[sqlite3.Connection], Any] | None = None,
    ) -> Any:
        """Run one operation in a transaction, together with other waiting operations."""
        return await self._queue.wait(Operation(function, args, answer))

    async def acquire(self, holder: object) -> None:
        """Wait until ``holder`` has exclusive use of the writer, after all earlier requests."""
        await self._queue.wait(Turn(holder), unclaimed=lambda _: self.release())

    def release(self) -> None:
        """End the exclusive use and serve the next request."""
        self.holder = None
        self._busy = False
        self._advance()

    async def begin(self, wanted: Callable[[], bool]) -> None:
        """Begin the holder's transaction."""
        await self.connection_thread.call(begin, self._busy_timeout, wanted)

    async def commit(self) -> None:
        """Commit the holder's transaction."""
        await self.connection_thread.call(commit, self._committed)

    async def rollback(self) -> None:
        """Roll back the holder's transaction, unless it has ended."""
        await self.connection_thread.call(rollback)

    async def inside(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Run a function inside the holder's transaction."""
        return await self.connection_thread.call(guarded, function, args)

    async def close(self) -> None:
        """Finish the operations that do not wait for a transaction, refuse the other ones, and close."""
        self._queue.close(self.connection_thread.end)
        while self._commits is not None:
            await asyncio.wait([self._commits])
        self._queue.refuse_all(self.connection_thread.end)
        await self.connection_thread.close()

    def _advance(self) -> None:
        if self._busy or (first := self._queue.first()) is None:
            return
        self._busy = True
        if isinstance(first.wish, Turn):
            self._queue.take()
            self.holder = first.wish.holder
            first.answer(None)
        else:
            # Starts in the next iteration of the loop, so that it includes all operations of this iteration.
            self._commits = asyncio.get_running_loop().create_task(self._commit_operations())

    async def _commit_operations(self) -> None:
        try:
            while callers := self._take_operations():
                for caller, outcome in zip(callers, await self._outcomes(callers), strict=True):
                    self._settle(caller, outcome)
        finally:
            self._commits = None
            self.release()

    async def _outcomes(self, callers: list[Caller]) -> list[Outcome]:
        try:
            return await self.connection_thread.call(commit_together, callers, self._busy_timeout, self._committed)
        except asyncio.CancelledError:
            # The loop is shutting down: cancel the waiting tasks too.
            for caller in callers:
                caller.cancel()
            raise
        except Exception as error:  # the rollback failed; raised in the callers' tasks
            return [Outcome(error=error) for _ in callers]

    def _take_operations(self) -> list[Caller]:
        taken: list[Caller] = []
        while len(taken) < SHARED_LIMIT and (first := self._queue.first()) and is_operation(first):
            self._queue.take()
            taken.append(first)
        return taken

    def _settle(self, caller: Caller, outcome: Outcome) -> None:
        """Pass the outcome to the waiting task; if that was cancelled, log a failure."""
        error = outcome.error
        if error is None:
            caller.answer(outcome.value)
        elif not caller.fail(self.connection_thread.explained(error)):
            LOG.warning("an operation failed after its caller was cancelled", exc_info=error)


def is_operation(waiter: Waiter[Operation | Turn, Any]) -> TypeGuard[Waiter[Operation, Any]]:
    """Tell whether a task waits for an operation."""
    return isinstance(waiter.wish, Operation)
