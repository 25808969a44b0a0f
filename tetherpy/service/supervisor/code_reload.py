"""The replacement of workers whose code is older than its files."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import attrs

from ..protocol.code_files import changed_files, times_of
from .child_process import Child


@attrs.define(eq=False)
class CodeReload:
    """Start a successor for each worker with old code; the old one finishes its jobs when the successor is ready.

    If the new code cannot start, the old workers continue, and the next change is tried.
    """

    children: Callable[[], Iterable[Child]]
    spawn: Callable[[Child], None]
    report: Callable[[str], None]
    _tried: dict[str, float] = attrs.field(init=False, factory=dict[str, float])

    def check(self, changed: tuple[str, ...]) -> None:
        """Start the successors if the named files have changed since the last check that did so."""
        children = tuple(self.children())
        if not changed or any(not child.was_ready for child in children):
            return
        found = times_of(changed)
        if found == self._tried:
            return
        self._tried = found
        self.report(f"new workers start, because files have changed: {', '.join(changed)}")
        for child in children:
            if not child.leaving and changed_files([child.code]):
                self.spawn(child)

    def died(self, child: Child) -> bool:
        """Tell whether no worker has to replace this one: it has a successor, or is one that could not start."""
        heirs = [other for other in self.children() if other.replaces is child]
        for heir in heirs:
            heir.replaces = None
        if child.leaving or heirs:
            return True
        if child.was_ready or child.replaces is None:
            return False
        self.report("the new code cannot start; the workers continue with the old code until the next change")
        return True
