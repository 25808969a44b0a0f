"""When the supervisor starts a new worker for one that died."""

from __future__ import annotations

import attrs


@attrs.define
class RestartPolicy:
    """Restart at once after work, ever later after starts that came to nothing; give up on broken starts.

    A worker that has run a job gets its successor at once, however often jobs kill it: each death costs the job
    an attempt, so such a row ends. Workers that die without having run a job would end in no such way: the delay
    grows, and after ``max_broken_starts`` in a row that died before they were ready there is no successor. The
    two causes are counted apart, and work of any worker clears both.
    """

    first_delay: float = 0.1
    max_delay: float = 10.0
    max_broken_starts: int = 5
    _idle_deaths: int = attrs.field(init=False, default=0)
    _broken_starts: int = attrs.field(init=False, default=0)

    def worked(self) -> None:
        """Note that a worker runs a job: the service as a whole is sound."""
        self._idle_deaths = self._broken_starts = 0

    def delay_after(self, *, was_ready: bool, did_work: bool) -> float | None:
        """Return the seconds to wait after the death of a worker; None to give up."""
        if did_work:
            return 0.0
        if was_ready:
            self._broken_starts = 0
            self._idle_deaths += 1
            return self._delay(self._idle_deaths)
        self._broken_starts += 1
        if self._broken_starts >= self.max_broken_starts:
            return None
        return self._delay(self._broken_starts)

    def _delay(self, deaths: int) -> float:
        return 0.0 if deaths == 1 else min(self.first_delay * 2.0 ** min(deaths - 2, 30), self.max_delay)
