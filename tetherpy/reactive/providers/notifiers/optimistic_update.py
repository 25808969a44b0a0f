"""Optimistic updates: show a change at once, and undo it if the operation fails."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from ...asynchronous.async_flow import AsyncFlow
from ...asynchronous.pending_changes import PendingChange, PendingChanges
from ...graph.element import Element
from ...graph.updates.set_value import set_value
from ...values.comparison import differs

T = TypeVar("T")


class OptimisticUpdate(Generic[T]):
    """The block of an optimistic update; returned by ``optimistic`` of a notifier.

    Args:
        attached: returns the element of the notifier.
        read: returns its state, up to date.
        change: returns the new data, and changes nothing in place.
    """

    __slots__ = ("_attached", "_change", "_element", "_pending", "_read")

    def __init__(self, attached: Callable[[], Element], read: Callable[[], Any], change: Callable[[T], T]) -> None:
        self._attached = attached
        self._read = read
        self._change = PendingChange(change)

    def replace(self, change: Callable[[T], T]) -> None:
        """Show another change instead, such as one with the id that the server has assigned.

        Raises:
            Exception: the change cannot be applied; the former one stays.
        """
        former, self._change.apply = self._change.apply, change
        try:
            if self._is_current:
                self._pending.check(self._change)
                show(self._element, self._pending)
        except BaseException:
            self._change.apply = former
            raise

    async def __aenter__(self) -> Self:
        state = self._read()
        element = self._element = self._attached()
        pending: PendingChanges | None = element.notifier.pending_changes
        if pending is None:
            report: Callable[[Exception], None] = partial(_report, element)
            pending = PendingChanges(state, report, is_async=isinstance(element.flow, AsyncFlow))
        self._pending = pending
        pending.add(self._change)
        install(element, pending)
        try:
            show(element, pending)
        except BaseException:
            self._end(pending.remove)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self._end(self._pending.confirm)
            if self._element.ref is not None:
                self._element.notifier.changes_confirmed()
        elif issubclass(kind, GeneratorExit):
            # The garbage collector may close the coroutine, in any thread and in the middle of a build.
            self._element.host.call_soon_threadsafe(partial(self._end, self._pending.remove))
        else:
            self._end(self._pending.remove)

    @property
    def _is_current(self) -> bool:
        notifier = self._element.notifier
        return self._element.ref is not None and notifier is not None and notifier.pending_changes is self._pending

    def _end(self, end: Callable[[PendingChange], None]) -> None:
        if not self._is_current:
            return  # the provider was disposed or has another notifier: its state is gone
        element, pending = self._element, self._pending
        end(self._change)
        try:
            if element.failure is None:
                show(element, pending)
        finally:
            if not pending.changes:
                install(element, None)


def install(element: Element, pending: PendingChanges | None) -> None:
    """Apply these changes to every state of the element from now on."""
    element.notifier.pending_changes = pending
    if isinstance(element.flow, AsyncFlow):
        element.flow.pending_changes = pending


def show(element: Element, pending: PendingChanges) -> None:
    """Set the state to the base with all changes, and notify listeners if it differs."""
    shown = pending.shown()
    if not differs(element.value, shown):
        return
    if isinstance(element.flow, AsyncFlow):
        element.flow.show(shown)
    else:
        set_value(element, shown)


def _report(element: Element, error: Exception) -> None:
    element.host.report(error, element.provider)
