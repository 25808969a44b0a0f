"""Which workers live: by a lock that each holds for life and the system drops when it dies."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from datetime import timedelta

import attrs

from tetherpy.jobs import JobEngine

from .exit_watch import watch_exit
from .files import ServiceFiles
from .locks import is_locked, lock_into_place

AGAIN_SECONDS = 0.02
"""A process can be seen to end a moment before its lock is dropped: then it is looked at again."""
MAX_AGAIN = 25
AFTER_FAILURE_SECONDS = 1.0
"""No database or no descriptors now; a look too often would fill the log."""

_logger = logging.getLogger("tetherpy.service")


@attrs.define(eq=False)
class Liveness:
    """Hold this worker's lock, watch the others, and rescue the jobs of those that died.

    A death is heard of through the system, at once. The lock decides whether it is one: a process
    id may be used again, or be another container's, in which case a look at the locks every
    ``interval`` finds the death.
    """

    files: ServiceFiles
    engine: JobEngine
    worker_id: str
    interval: timedelta
    descriptor: int = attrs.field(init=False)
    _watches: dict[str, Callable[[], None]] = attrs.field(init=False, factory=dict[str, Callable[[], None]])
    _seen: int = attrs.field(init=False, default=-1)
    _again: int = attrs.field(init=False, default=0)
    _alarm: asyncio.Event = attrs.field(init=False, factory=asyncio.Event)

    def __attrs_post_init__(self) -> None:
        self.descriptor = lock_into_place(self.files.worker_lock(self.worker_id))

    def on_change(self) -> None:
        """Look for new workers if the folder changed: each has its file before it changes a row."""
        if self._folder_version() != self._seen:
            self._watch_others()

    async def run(self) -> None:
        """Rescue what dead workers left, now and after every death."""
        while True:
            try:
                self._watch_others()
                await self.rescue()
            except Exception:
                # The jobs are still theirs in the table, so the next look finds them.
                _logger.exception("Jobs of dead workers could not be taken back")
                self._ring_later(AFTER_FAILURE_SECONDS)
            await self._wait_for_alarm()
            self._alarm.clear()

    async def _wait_for_alarm(self) -> None:
        try:
            async with asyncio.timeout(self.interval.total_seconds()):
                await self._alarm.wait()
        except TimeoutError:
            return

    async def rescue(self) -> None:
        """Take back the jobs of all workers that are not alive, and forget those."""
        # Whoever claims without a lock file is dead, unless it may be on another machine: then its lease decides.
        several_machines = self.engine.capabilities.several_machines
        claimants = frozenset[str]() if several_machines else await self.engine.claimants()
        known = claimants | self.files.worker_ids()
        dead = frozenset(
            worker_id for worker_id in known - {self.worker_id} if not is_locked(self.files.worker_lock(worker_id))
        )
        if dead:
            rescued = await self.engine.rescue(dead)
            for worker_id in dead:
                await self.engine.unregister_worker(worker_id)
                self.files.worker_lock(worker_id).unlink(missing_ok=True)
                self._unwatch(worker_id)
            _logger.warning(
                "Workers %s died; %d jobs taken back",
                ", ".join(sorted(dead)),
                len(rescued),
                extra={"job_ids": rescued},
            )
            self._again = 0
        elif self._again:
            self._again -= 1
            self._ring_later(AGAIN_SECONDS)

    def close(self) -> None:
        """Watch nobody any more and give up the lock and its file."""
        for worker_id in tuple(self._watches):
            self._unwatch(worker_id)
        self.files.worker_lock(self.worker_id).unlink(missing_ok=True)
        os.close(self.descriptor)

    def _watch_others(self) -> None:
        version = self._folder_version()
        loop = asyncio.get_running_loop()
        for worker_id in self.files.worker_ids() - self._watches.keys() - {self.worker_id}:
            pid = self._pid_of(worker_id)
            if pid is not None:
                self._watches[worker_id] = watch_exit(loop, pid, self._on_exit)
        # Only now: what could not be watched is tried again with the next change.
        self._seen = version

    def _on_exit(self) -> None:
        self._again = MAX_AGAIN
        self._alarm.set()

    def _ring_later(self, seconds: float) -> None:
        asyncio.get_running_loop().call_later(seconds, self._alarm.set)

    def _unwatch(self, worker_id: str) -> None:
        if close := self._watches.pop(worker_id, None):
            close()

    def _pid_of(self, worker_id: str) -> int | None:
        try:
            return int(self.files.worker_lock(worker_id).read_text())
        except (FileNotFoundError, ValueError):
            return None

    def _folder_version(self) -> int:
        return os.stat(self.files.folder).st_mtime_ns
