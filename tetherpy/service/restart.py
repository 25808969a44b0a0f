"""When the supervisor starts a new worker for one that died."""

from __future__ import annotations

import attrs


@attrs.define
class RestartPolicy:
    """Restart at once, then ever later while deaths follow each other; give up on broken starts.

    A worker that has been ready always gets a successor, however often jobs kill it: each death
    costs the job an attempt, so such a row ends. Workers that die before they are ready would
    end in no such way: after ``max_broken_starts`` in a row there is no successor.
    """

    first_delay: float = 0.1
    max_delay: float = 10.0
    calm_after: float = 30.0
    max_broken_starts: int = 5
    _quick_deaths: int = attrs.field(init=False, default=0)
    _broken_starts: int = attrs.field(init=False, default=0)

    def delay_after(self, lived: float, *, was_ready: bool) -> float | None:
        """Return the seconds to wait after a worker that lived so long; None to give up."""
        self._broken_starts = 0 if was_ready else self._broken_starts + 1
        if self._broken_starts >= self.max_broken_starts:
            return None
        if was_ready and lived >= self.calm_after:
            self._quick_deaths = 0
        self._quick_deaths += 1
        if self._quick_deaths == 1:
            return 0.0
        return min(self.first_delay * 2.0 ** min(self._quick_deaths - 2, 30), self.max_delay)
