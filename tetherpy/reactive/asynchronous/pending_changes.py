"""Changes of a notifier's state that are shown before they are confirmed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import attrs

from ..graph.element import Element


@attrs.define(eq=False)
class PendingChange:
    """One change: pending until its block ends, then confirmed or removed."""

    apply: Callable[[Any], Any]
    is_confirmed: bool = False
    is_reported: bool = False


class PendingChanges:
    """The state without the pending changes, and these changes in the order in which they began.

    A confirmed change becomes part of the base once all earlier ones have ended, so the order of the changes on
    screen does not depend on the order of the answers. Newer data replaces the base and the confirmed changes; pending
    ones stay over it.

    Args:
        base: the state without changes.
        is_async: whether the state is an AsyncValue; a change is then applied to its data.
        report: called with the error of a change that cannot be applied to newer data.
    """

    __slots__ = ("_is_async", "_report", "base", "changes", "confirmed")

    def __init__(self, base: Any, report: Callable[[Exception], None], *, is_async: bool) -> None:
        self.base = base
        self.changes: tuple[PendingChange, ...] = ()
        #: The state with the confirmed changes only.
        self.confirmed = base
        self._is_async = is_async
        self._report = report

    def shown(self) -> Any:
        """Return the state with all changes."""
        return self.over(self.base)

    def over(self, state: Any) -> Any:
        """Return a state with all changes applied to it."""
        return self._apply(state, self.changes)

    def take(self, base: Any) -> Any:
        """Use a newer state as the base, and return it with the pending changes applied."""
        if not self._is_async or not (base.is_loading or base.has_error):
            self.changes = tuple(change for change in self.changes if not change.is_confirmed)
        self.base = base
        self._update()
        return self.shown()

    def add(self, change: PendingChange) -> None:
        """Add a change.

        Raises:
            Exception: the change cannot be applied.
        """
        self.check(change)
        self.changes = (*self.changes, change)

    def check(self, change: PendingChange) -> None:
        """Check that a change can be applied after the changes that began before it.

        Raises:
            Exception: it cannot be applied.
        """
        before = self.changes[: self.changes.index(change)] if change in self.changes else self.changes
        state = self._apply(self.base, before)
        if not self._is_async:
            change.apply(state)
        elif state.has_value:
            change.apply(state.value)

    def confirm(self, change: PendingChange) -> None:
        """Keep a change."""
        change.is_confirmed = True
        self._update()

    def remove(self, change: PendingChange) -> None:
        """Undo a change."""
        self.changes = tuple(other for other in self.changes if other is not change)
        self._update()

    def _update(self) -> None:
        while self.changes and self.changes[0].is_confirmed:
            self.base = self._apply(self.base, self.changes[:1])
            self.changes = self.changes[1:]
        self.confirmed = self._apply(self.base, [change for change in self.changes if change.is_confirmed])

    def _apply(self, state: Any, changes: Iterable[PendingChange]) -> Any:
        if not self._is_async:
            return self._changed(state, changes)
        return state.with_value(self._changed(state.value, changes)) if state.has_value else state

    def _changed(self, value: Any, changes: Iterable[PendingChange]) -> Any:
        for change in changes:
            try:
                value = change.apply(value)
            except Exception as error:
                # It was possible when it began, and is not with newer data, such as a list without the changed item.
                if not change.is_reported:
                    change.is_reported = True
                    self._report(error)
        return value


def confirmed_state(element: Element) -> Any:
    """Return the state of an element without pending changes."""
    pending: PendingChanges | None = getattr(element.notifier, "pending_changes", None)
    return element.value if pending is None else pending.confirmed
