"""Readers of ``provider.future`` outside the graph: they keep the provider in use until the future is settled."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextvars import Context, copy_context
from threading import get_ident
from typing import Any, Generic, TypeVar

from ..errors import ReadDuringDisposalError
from ..graph.dependencies import path_to
from ..graph.element import NO_VARIABLES, Element
from ..graph.node_states import DISPOSED
from ..graph.users import add_listener, remove_listener
from ..lifecycle.teardown import current_teardown
from .promise import Promise

T = TypeVar("T")


class Loan(Generic[T]):
    """A promise for a reader outside the graph; its provider is in use while the loan is referenced or awaited."""

    __slots__ = ("_forget", "_give_back", "_promise")

    def __init__(self, promise: Promise[T], give_back: Callable[[], None]) -> None:
        held = [give_back]

        def once() -> None:
            if held:
                held.pop()()

        # The promise must not reference the loan: a reader gives up by dropping its reference to the loan.
        self._forget = promise.on_settled(once)
        self._promise = promise
        self._give_back = once

    def __await__(self) -> Generator[Any, None, T]:
        return (yield from self._promise.__await__())

    def __del__(self) -> None:
        self._forget()
        self._give_back()

    def __repr__(self) -> str:
        return repr(self._promise)


class FutureReaders:
    """The readers of one future, counted as one listener that need not be notified.

    A reader waits for the value of now: it is an active user, so a changed dependency builds the provider again.
    """

    __slots__ = ("_element", "_number", "context")

    weak = False
    is_paused = False

    context: Context
    """The context variables of the first reader: the provider is rebuilt in them."""

    def __init__(self, element: Element) -> None:
        self._element = element
        self._number = 0

    def lend(self, promise: Promise[Any]) -> Loan[Any]:
        """Return a loan of a pending promise; the provider is in use until the promise is settled or the loan dropped.

        Raises:
            ReadDuringDisposalError: the caller is a disposer that the provider waits for.
        """
        element = self._element
        teardown = current_teardown()
        if teardown is not None:
            if path_to(element, teardown.element) is not None:
                raise ReadDuringDisposalError(element.provider, teardown.element.provider)
            teardown.awaits(element)
        self._number += 1
        if self._number == 1:
            self.context = copy_context() or NO_VARIABLES
            add_listener(element, self)
        return Loan(promise, self._returned)

    def _returned(self) -> None:
        scheduler = self._element.host.scheduler
        if get_ident() != scheduler.thread:
            self._element.host.call_soon_threadsafe(self._returned)
        elif scheduler.depth:
            # The garbage collector may drop a loan at any moment, in the middle of a walk too.
            scheduler.callbacks.append((self._leave, (self._element,)))
        else:
            scheduler.depth = 1
            scheduler.callbacks.append((self._leave, (self._element,)))
            scheduler.leave()

    def _leave(self, element: Element) -> None:
        self._number -= 1
        if not self._number and element.state != DISPOSED:
            remove_listener(element, self, was_active=True)

    def notify(self, previous: Any, value: Any, failure: Exception | None) -> None:
        """Do nothing: the promise wakes the readers."""

    def close(self) -> None:
        """Do nothing: the promise also tells them that the provider was disposed."""
