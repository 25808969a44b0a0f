"""The heartbeat: extends the leases of this worker and rescues jobs whose lease has expired."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import timedelta

import attrs

from tetherpy.database import DatabaseReplacedError, SchemaNewerError
from tetherpy.event_wait import wait_for_event
from tetherpy.jobs import JobEngine

from ..execution.notification import Notification

BEATS_PER_LEASE = 3
NOTICE_INTERVAL_SECONDS = 0.1
"""Minimum interval of storing a changed notification."""

_logger = logging.getLogger("tetherpy.service")


@attrs.define(eq=False)
class Heartbeat:
    """Extend this worker's leases, store its notification and its job keys, and rescue expired jobs.

    ``on_beat`` notifies the supervisor; ``cancel`` is called with the jobs to cancel; ``drain`` is called when
    newer code has migrated the tables.
    """

    engine: JobEngine
    worker_id: str
    lease: timedelta
    notification: Notification
    cancel: Callable[[Iterable[int]], None]
    on_beat: Callable[[], None]
    drain: Callable[[], None]
    keys: Callable[[], frozenset[str] | None] = lambda: None
    _soon: asyncio.Event = attrs.field(init=False, factory=asyncio.Event)
    _last_beat: float | None = attrs.field(init=False, default=None)
    _trusts_clock_from: float = attrs.field(init=False, default=0.0)

    def notice(self) -> None:
        """Store changes soon, before the next heartbeat is due."""
        self._soon.set()

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            await self._beat()
            await asyncio.sleep(NOTICE_INTERVAL_SECONDS)
            rest = (self.lease / BEATS_PER_LEASE).total_seconds() - NOTICE_INTERVAL_SECONDS
            await wait_for_event(self._soon, max(rest, 0.0))

    async def _beat(self) -> None:
        self.on_beat()
        self._soon.clear()
        try:
            asked = await self.engine.heartbeat(
                self.worker_id,
                title=self.notification.title,
                content=self.notification.content,
                job_keys=self.keys(),
            )
            self.cancel(asked)
            if self._stood_still():
                return
            if rescued := await self.engine.rescue_expired():
                _logger.warning("Leases have expired; rescued jobs: %s", rescued, extra={"job_ids": rescued})
            await self.engine.refuse_newer()
        except DatabaseReplacedError:
            raise
        except SchemaNewerError as error:
            # Running jobs can still finish if their outcomes can be stored.
            _logger.warning("Worker %s claims no more jobs: %s", self.worker_id, error)
            self.drain()
        except Exception:
            # The next heartbeat may succeed; if none does, the lease expires, as intended.
            _logger.exception("Worker %s could not store its heartbeat", self.worker_id)

    def _stood_still(self) -> bool:
        """Tell whether this worker was suspended within the last lease: then other workers may have been, too.

        After a pause of the whole container no worker has sent a heartbeat, and none of them is dead.
        """
        now = asyncio.get_running_loop().time()
        before, self._last_beat = self._last_beat, now
        lease = self.lease.total_seconds()
        if before is not None and now - before > lease * 2 / BEATS_PER_LEASE:
            self._trusts_clock_from = now + lease
        return now < self._trusts_clock_from
