"""A queue of tasks that wait for an answer, each of which may be cancelled at any time."""

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


@attrs.define(eq=False)
class Waiter(Generic[Wish, Answer]):
    """One waiting task: its request, and the future of its answer."""

    wish: Wish
    _future: asyncio.Future[Answer]

    @property
    def gone(self) -> bool:
        """Tell whether it was cancelled or answered, or its event loop was closed; callable in any thread."""
        return self._future.done() or self._future.get_loop().is_closed()

    def answer(self, answer: Answer) -> bool:
        """Set its answer; return False if it is gone."""
        if self.gone:
            return False
        self._future.set_result(answer)
        return True

    def fail(self, error: BaseException) -> bool:
        """Set its error; return False if it is gone."""
        if self.gone:
            return False
        self._future.set_exception(error)
        return True

    def cancel(self) -> None:
        """Cancel its wait."""
        self._future.cancel()


@attrs.define(eq=False)
class WaitQueue(Generic[Wish, Answer]):
    """A first-in, first-out queue; a task at any position is removed in constant time.

    A cancelled future stays in the queue until its task resumes. Setting its result before that would raise
    ``InvalidStateError``. So answers go through :class:`Waiter`, and :meth:`first` and :meth:`take` skip waiters that
    are gone.
    """

    #: Called after each arrival.
    _arrived: Callable[[], None] = _do_nothing
    _waiters: OrderedDict[Waiter[Wish, Answer], None] = attrs.field(
        init=False, factory=OrderedDict[Waiter[Wish, Answer], None]
    )
    _refusal: Callable[[], BaseException] | None = attrs.field(init=False, default=None)

    async def wait(self, wish: Wish, unclaimed: Callable[[Answer], object] = _do_nothing) -> Answer:
        """Wait for the answer to ``wish``, in the order of the calls.

        If the task is cancelled after it was answered and before it resumes, ``unclaimed(answer)`` is called, and
        ``CancelledError`` is raised. Raises the errors that are passed to ``fail`` and ``close``.
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
        """Return the waiter that has waited longest, or None."""
        while self._waiters:
            waiter = next(iter(self._waiters))
            if not waiter.gone:
                return waiter
            del self._waiters[waiter]
        return None

    def take(self) -> Waiter[Wish, Answer] | None:
        """Remove and return the waiter that has waited longest, or None."""
        if (waiter := self.first()) is not None:
            del self._waiters[waiter]
        return waiter

    def take_all(self) -> list[Waiter[Wish, Answer]]:
        """Remove and return all waiters."""
        waiters = [waiter for waiter in self._waiters if not waiter.gone]
        self._waiters.clear()
        return waiters

    def close(self, refusal: Callable[[], BaseException]) -> None:
        """Raise an error made by ``refusal`` in later calls of ``wait``; current waiters are not affected."""
        self._refusal = refusal

    def refuse_all(self, refusal: Callable[[], BaseException]) -> None:
        """Close, and fail the current waiters with the same kind of error."""
        self.close(refusal)
        for waiter in self.take_all():
            waiter.fail(refusal())
