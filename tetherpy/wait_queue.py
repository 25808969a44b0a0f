"""A queue of tasks that wait for an answer, each of which may be cancelled at any moment."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import attrs

Wish = TypeVar("Wish")
Answer = TypeVar("Answer")


def _do_nothing(*_: Any) -> None:
    return


@attrs.frozen(eq=False)
class Waiter(Generic[Wish, Answer]):
    """One task in a queue: what it asks for, and where its answer goes."""

    wish: Wish
    _future: asyncio.Future[Answer]

    @property
    def gone(self) -> bool:
        """Whether it was cancelled or answered, or its event loop was closed; any thread may ask."""
        return self._future.done() or self._future.get_loop().is_closed()

    def answer(self, answer: Answer) -> bool:
        """Give it its answer; return False if it is gone."""
        if self.gone:
            return False
        self._future.set_result(answer)
        return True

    def fail(self, error: BaseException) -> bool:
        """Give it an error to raise; return False if it is gone."""
        if self.gone:
            return False
        self._future.set_exception(error)
        return True

    def cancel(self) -> None:
        """Cancel its wait."""
        self._future.cancel()


@attrs.define(eq=False)
class WaitQueue(Generic[Wish, Answer]):
    """First come, first served. Leaving costs the same wherever a task stands.

    A cancelled future stays in a queue until its task resumes; an answer given meanwhile would raise
    ``InvalidStateError`` in the task that gives it. So answers go through :class:`Waiter`, and :meth:`first`
    and :meth:`take` return only waiters that still wait.
    """

    #: Called after each arrival.
    _arrived: Callable[[], None] = _do_nothing
    _waiters: OrderedDict[Waiter[Wish, Answer], None] = attrs.field(
        init=False, factory=OrderedDict[Waiter[Wish, Answer], None]
    )
    _refusal: Callable[[], BaseException] | None = attrs.field(init=False, default=None)

    async def wait(self, wish: Wish, unclaimed: Callable[[Answer], object] = _do_nothing) -> Answer:
        """Wait for the answer to ``wish``, in the order of the calls.

        A task that is cancelled after it was answered and before it resumes raises ``CancelledError``;
        ``unclaimed(answer)`` is called first, to pass the answer on. Raises what ``fail`` or ``close`` was given.
        """
        if self._refusal is not None:
            raise self._refusal()
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        waiter = Waiter(wish, future)
        self._waiters[waiter] = None
        try:
            self._arrived()
            return await future
        except BaseException:
            if future.done() and not future.cancelled() and future.exception() is None:
                unclaimed(future.result())
            raise
        finally:
            self._waiters.pop(waiter, None)

    def first(self) -> Waiter[Wish, Answer] | None:
        """Return the one that has waited longest, or None."""
        while self._waiters:
            waiter = next(iter(self._waiters))
            if not waiter.gone:
                return waiter
            del self._waiters[waiter]
        return None

    def take(self) -> Waiter[Wish, Answer] | None:
        """Remove and return the one that has waited longest, or None."""
        if (waiter := self.first()) is not None:
            del self._waiters[waiter]
        return waiter

    def take_all(self) -> list[Waiter[Wish, Answer]]:
        """Remove and return all that wait."""
        waiters = [waiter for waiter in self._waiters if not waiter.gone]
        self._waiters.clear()
        return waiters

    def close(self, refusal: Callable[[], BaseException]) -> None:
        """Give each task that comes from now on an error made by ``refusal``; those that wait stay."""
        self._refusal = refusal

    def refuse_all(self, refusal: Callable[[], BaseException]) -> None:
        """Close, and give those that wait the same kind of error."""
        self.close(refusal)
        for waiter in self.take_all():
            waiter.fail(refusal())
