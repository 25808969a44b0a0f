"""The logs of the running attempts of a worker, stored while the attempts run and at their end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import attrs

from tetherpy.jobs import Claim, Progress

from .attempt_log import AttemptLog
from .printed_output import end_lines

SAVE_SECONDS = 1.0
"""How long a line may wait until it is stored; a killed worker loses at most the lines of this time."""


def _nothing(*_: object) -> None:
    pass


@attrs.define(eq=False)
class AttemptLogs:
    """Start and end the log of each attempt, and report the lines of those that run longer.

    ``report`` stores progress; lines of a short attempt are stored with its outcome only. ``in_loop`` calls a function
    in the thread of the loop.
    """

    captures: bool = False
    report: Callable[[Progress], None] = _nothing
    in_loop: Callable[..., None] = _nothing
    _unsaved: set[AttemptLog] = attrs.field(init=False, factory=set[AttemptLog])
    _timer: asyncio.TimerHandle | None = attrs.field(init=False, default=None)

    def start(self, claim: Claim) -> AttemptLog:
        """Return the empty log of an attempt."""
        return AttemptLog(claim, self.captures, self._on_unsaved)

    def end(self, log: AttemptLog) -> str | None:
        """Close a log and return its text, which the caller stores; None if it is empty."""
        end_lines(log)
        self._unsaved.discard(log)
        return log.close()

    def stop(self) -> None:
        """Store nothing more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_unsaved(self, log: AttemptLog) -> None:
        self.in_loop(self._note, log)

    def _note(self, log: AttemptLog) -> None:
        if not log.captures:
            return
        self._unsaved.add(log)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SAVE_SECONDS, self._save)

    def _save(self) -> None:
        self._timer = None
        logs, self._unsaved = self._unsaved, set()
        for log in logs:
            self.report(Progress(log.claim, logs=log.text_to_save()))
