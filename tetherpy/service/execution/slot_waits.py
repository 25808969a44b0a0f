"""Detection of handlers that wait for other jobs while they hold all slots of their worker."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager

import attrs

_logger = logging.getLogger("tetherpy.service")


@attrs.define(eq=False)
class SlotWaits:
    """Count the jobs of one worker whose handlers wait for other jobs; warn once when they hold all its slots.

    May be used in any thread: a plain ``def`` handler may wait in a separate event loop.
    """

    slots: int
    _waiting: Counter[int] = attrs.field(init=False, factory=Counter[int])
    _lock: threading.Lock = attrs.field(init=False, factory=threading.Lock)
    _warned: bool = attrs.field(init=False, default=False)

    @contextmanager
    def waiting(self, job_id: int, job_key: str, other_id: int) -> Generator[None]:
        """Count a handler that waits for another job in the block."""
        with self._lock:
            self._waiting[job_id] += 1
            warn = len(self._waiting) >= self.slots and not self._warned
            self._warned |= warn
        if warn:
            _logger.warning(
                "Job %d (%r) waits for job %d, and all slots of this worker (concurrency=%d) are held by jobs that "
                "wait. Unless another worker claims job %d, this is a deadlock. Raise concurrency, put the jobs that "
                "are waited for into a queue with separate workers, pass a timeout to wait_for, or let the first job "
                "end and the second one enqueue the next step.",
                job_id,
                job_key,
                other_id,
                self.slots,
                other_id,
                extra={"job_id": job_id},
            )
        try:
            yield
        finally:
            with self._lock:
                self._waiting[job_id] -= 1
                self._waiting += Counter()  # removes entries that are zero
