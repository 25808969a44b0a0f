"""The check for hung workers: one whose event loop sends no beat for two leases is killed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

import attrs

from .child_process import Child
from .selector_loop import SelectorLoop

HUNG_AFTER_LEASES = 2


@attrs.define(eq=False)
class HungWorkerCheck:
    """Kill hung workers, at each quarter of the time after which a worker counts as hung."""

    _selector_loop: SelectorLoop
    _lease: timedelta
    _children: Callable[[], Iterable[Child]]
    _report: Callable[[str], None]

    def run(self) -> None:
        """Check now, and again and again until the loop is closed."""
        bound = (self._lease * HUNG_AFTER_LEASES).total_seconds()
        for child in self._children():
            if child.last_beat is not None and self._selector_loop.now() - child.last_beat > bound:
                self._report(f"the event loop of worker {child.worker_id} was blocked for {bound:g} s; it is killed")
                child.kill()
        self._selector_loop.call_later(bound / 4, self.run)
