"""The pump that copies the output of the workers to their log."""

from __future__ import annotations

import os

import attrs

from ..protocol.worker_log import WorkerLog
from .selector_loop import SelectorLoop

_CHUNK = 1 << 16


@attrs.define(eq=False)
class LogPump:
    """Open a pipe for each worker and copy its data to the log.

    A pipe stays open while any process that the worker started holds it, so it may outlive the worker.
    """

    selector_loop: SelectorLoop
    log: WorkerLog
    _pipes: set[int] = attrs.field(init=False, factory=set[int])

    def open_pipe(self) -> int:
        """Open a pipe, watch its reading end and return its writing end."""
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        self._pipes.add(reading)
        self.selector_loop.watch(reading, lambda: self._on_readable(reading))
        return writing

    def drain(self) -> None:
        """Copy all output that has been printed so far."""
        for pipe in tuple(self._pipes):
            while self._copy(pipe):
                pass

    def release(self) -> None:
        """Close the descriptors without touching the log: for a forked child."""
        for pipe in self._pipes:
            os.close(pipe)
        self._pipes.clear()
        self.log.close()

    def _on_readable(self, pipe: int) -> None:
        self._copy(pipe)

    def _copy(self, pipe: int) -> bool:
        try:
            data = os.read(pipe, _CHUNK)
        except BlockingIOError:
            return False
        if data:
            self.log.write(data)
            return True
        self._pipes.discard(pipe)
        self.selector_loop.forget(pipe)
        os.close(pipe)
        return False
