"""Which workers live: by a lock that each holds for life and the system drops when it dies."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable
from datetime import timedelta

import attrs

from tetherpy.event_wait import wait_for_event
from tetherpy.jobs import JobEngine

from ..protocol.exit_watch import is_there, watch_exit
from ..protocol.locks import is_in_place, is_locked, living_signer_of, lock_into_place
from ..protocol.private_descriptors import close_private
from ..protocol.service_files import ServiceFiles
from ..supervisor.group_files import TOUCH_SECONDS, touch_all

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
    _descriptor: int = attrs.field(init=False)
    _touched: float = attrs.field(init=False, factory=time.monotonic)
    _watches: dict[str, Callable[[], None]] = attrs.field(init=False, factory=dict[str, Callable[[], None]])
    _seen: int = attrs.field(init=False, default=-1)
    _again: int = attrs.field(init=False, default=0)
    _alarm: asyncio.Event = attrs.field(init=False, factory=asyncio.Event)

    def __attrs_post_init__(self) -> None:
        self._descriptor = lock_into_place(self.files.worker_lock(self.worker_id))

    def on_change(self) -> None:
        """Look for new workers if the folder changed: each has its file before it changes a row."""
        if self._folder_version() != self._seen:
            self._watch_others()

    async def run(self) -> None:
        """Rescue what dead workers left, now and after every death."""
        while True:
            try:
                self._renew()
                self._watch_others()
                await self.rescue()
            except Exception:
                # The jobs are still theirs in the table, so the next look finds them.
                _logger.exception("Jobs of dead workers could not be taken back")
                self._ring_later(AFTER_FAILURE_SECONDS)
            await wait_for_event(self._alarm, self.interval.total_seconds())
            self._alarm.clear()

    async def rescue(self) -> None:
        """Take back the jobs of all workers that are not alive, and forget those."""
        known = self.files.worker_ids() - {self.worker_id}
        dead = frozenset(worker_id for worker_id in known if not is_locked(self.files.worker_lock(worker_id)))
        dead |= await self._dead_without_a_file(known)
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

    async def _dead_without_a_file(self, known: frozenset[str]) -> frozenset[str]:
        """Return the workers that hold jobs, have no file, and whose process of this machine is gone.

        A missing file alone says nothing: a cleaner may have deleted it, and its worker makes it again. Where the
        process cannot be looked for, the lease decides.
        """
        if self.engine.capabilities.several_machines:
            return frozenset()
        claimants = await self.engine.claimants() - known - {self.worker_id}
        if not claimants:
            return frozenset()
        host = socket.gethostname()
        records = await self.engine.workers()
        return frozenset(
            record.id
            for record in records
            if record.id in claimants and record.host == host and not is_there(record.pid)
        )

    def close(self) -> None:
        """Stop watching and give up the lock and its file."""
        for worker_id in tuple(self._watches):
            self._unwatch(worker_id)
        self.files.worker_lock(self.worker_id).unlink(missing_ok=True)
        close_private(self._descriptor)

    def _renew(self) -> None:
        """Make this worker's lock file again if it was deleted, and touch it now and then."""
        path = self.files.worker_lock(self.worker_id)
        if not is_in_place(self._descriptor, path):
            self.files.create()
            fresh = lock_into_place(path)
            close_private(self._descriptor)
            self._descriptor = fresh
        elif time.monotonic() - self._touched > TOUCH_SECONDS:
            self._touched = time.monotonic()
            touch_all(path)

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
        return living_signer_of(self.files.worker_lock(worker_id))

    def _folder_version(self) -> int:
        try:
            return os.stat(self.files.folder).st_mtime_ns
        except FileNotFoundError:
            return 0
