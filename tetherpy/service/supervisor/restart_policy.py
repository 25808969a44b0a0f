"""The restart policy: the delay before a dead worker is replaced."""

from __future__ import annotations

import attrs


@attrs.define
class RestartPolicy:
    """Restart at once after work, with exponential backoff without work, and give up on failing starts.

    A worker that has run a job is replaced at once: each death costs the job an attempt, so the deaths end. Workers
    that die without having run a job could die forever: the delay grows, and after ``max_broken_starts`` consecutive
    ones that died before they were ready, no further worker is started. The two causes are counted separately, and
    a job run by any worker resets both counts.
    """

    first_delay: float = 0.1
    max_delay: float = 10.0
    max_broken_starts: int = 5
    _idle_deaths: int = attrs.field(init=False, default=0)
    _broken_starts: int = attrs.field(init=False, default=0)

    def worked(self) -> None:
        """Reset the counts, because a worker runs a job."""
        self._idle_deaths = self._broken_starts = 0

    def delay_after(self, *, was_ready: bool, did_work: bool) -> float | None:
        """Return the delay in seconds after the death of a worker; None to give up."""
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
