"""Wake-ups after a write to the log, for commits of programs that send no change signal."""

import asyncio
from collections.abc import Callable

import attrs

_FIRST_PAUSE = 0.001
_LAST_PAUSE = 0.128


@attrs.define(eq=False)
class LogRechecks:
    """Wake up 1 ms after a write to the log, and again after pauses that double up to 128 ms.

    SQLite writes to its log before the commit becomes visible, and with ``synchronous=FULL`` it waits for the disk in
    between. So one look is not enough. Our own commits send a change signal within the first pause: then no wake-up
    is needed.
    """

    _loop: asyncio.AbstractEventLoop
    _wake: Callable[[], None]
    _pause: float = _FIRST_PAUSE
    _timer: asyncio.TimerHandle | None = None

    def written(self) -> None:
        """Begin with the first pause again, because the log was written; an earlier wake-up stays."""
        self._pause = _FIRST_PAUSE
        due = self._loop.time() + _FIRST_PAUSE
        if self._timer is not None:
            if self._timer.when() <= due:
                return  # a program that writes without a pause must not postpone it forever
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._fire)

    def cancel(self) -> None:
        """Cancel the wake-ups."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fire(self) -> None:
        self._timer = None
        if self._pause < _LAST_PAUSE:
            self._pause *= 2
            self._timer = self._loop.call_later(self._pause, self._fire)
        self._wake()
