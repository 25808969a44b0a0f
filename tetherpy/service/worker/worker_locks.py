"""The locks of workers: each holds the lock of its file, which the system releases when the worker dies."""

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
"""The end of a process is visible shortly before its lock is released: then the lock is checked again."""
MAX_AGAIN = 25
AFTER_FAILURE_SECONDS = 1.0
"""Pause after a failed check, such as without a database or free descriptors, so that the log is not flooded."""

_logger = logging.getLogger("tetherpy.service")


@attrs.define(eq=False)
class WorkerLocks:
    """Hold this worker's lock, watch the other workers, and rescue the jobs of dead ones.

    The system reports the end of a process at once. The lock decides whether the worker is dead, because process ids
    are reused, and those of another container are not visible. A check of the locks every ``interval`` finds deaths
    that are not reported.
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
    _wakeup: asyncio.Event = attrs.field(init=False, factory=asyncio.Event)

    def __attrs_post_init__(self) -> None:
        self._descriptor = lock_into_place(self.files.worker_lock(self.worker_id))

    def on_change(self) -> None:
        """Watch new workers if the folder changed: each creates its file before it changes a row."""
        if self._folder_version() != self._seen:
            self._watch_others()

    async def run(self) -> None:
        """Rescue the jobs of dead workers, now and after every death."""
        while True:
            try:
                self._renew()
                self._watch_others()
                await self.rescue()
            except Exception:
                # The jobs still belong to the dead workers in the table, so the next check finds them.
                _logger.exception("Jobs of dead workers could not be rescued")
                self._check_later(AFTER_FAILURE_SECONDS)
            await wait_for_event(self._wakeup, self.interval.total_seconds())
            self._wakeup.clear()

    async def rescue(self) -> None:
        """Rescue the jobs of all dead workers, and remove those workers."""
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
                "Workers %s died; %d jobs rescued",
                ", ".join(sorted(dead)),
                len(rescued),
                extra={"job_ids": rescued},
            )
            self._again = 0
        elif self._again:
            self._again -= 1
            self._check_later(AGAIN_SECONDS)

    async def _dead_without_a_file(self, known: frozenset[str]) -> frozenset[str]:
        """Return the workers that hold jobs, have no file, and whose process on this machine has ended.

        A missing file alone proves nothing: a cleaner may have deleted it, and its worker creates it again. For a
        process of another machine, the lease decides.
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
        """Stop watching, release the lock and delete its file."""
        for worker_id in tuple(self._watches):
            self._unwatch(worker_id)
        self.files.worker_lock(self.worker_id).unlink(missing_ok=True)
        close_private(self._descriptor)

    def _renew(self) -> None:
        """Create this worker's lock file again if it was deleted, and update its time now and then."""
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
        # Set last: after an error the watch is tried again with the next change.
        self._seen = version

    def _on_exit(self) -> None:
        self._again = MAX_AGAIN
        self._wakeup.set()

    def _check_later(self, seconds: float) -> None:
        asyncio.get_running_loop().call_later(seconds, self._wakeup.set)

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
