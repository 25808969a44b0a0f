"""Says regularly that this worker's loop turns, and takes over from workers whose does not."""

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
"""A notification that changes is stored at most this often."""

_logger = logging.getLogger("tetherpy.service")


@attrs.define(eq=False)
class Heartbeat:
    """Extend this worker's leases, keep its notification and its job keys in its row, rescue expired jobs.

    ``on_beat`` tells the supervisor; ``cancel`` gets the jobs that are asked to stop; ``drain`` is called when
    newer code has changed the tables.
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
    _judges_from: float = attrs.field(init=False, default=0.0)

    def notice(self) -> None:
        """Store what has changed before the next beat is due."""
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
                _logger.warning("Leases ran out; jobs taken back: %s", rescued, extra={"job_ids": rescued})
            await self.engine.refuse_newer()
        except DatabaseReplacedError:
            raise
        except SchemaNewerError as error:
            # The jobs that run can still end well, if the outcomes can be stored as before.
            _logger.warning("Worker %s takes no more jobs: %s", self.worker_id, error)
            self.drain()
        except Exception:
            # The next beat may come through; if none does, the lease runs out, which is its purpose.
            _logger.exception("Worker %s could not store its heartbeat", self.worker_id)

    def _stood_still(self) -> bool:
        """Tell whether this worker stood still within the last lease: then it cannot say who else was silent.

        Where everything was paused, as a container is, the others have not beaten since, as this one has not.
        """
        now = asyncio.get_running_loop().time()
        before, self._last_beat = self._last_beat, now
        lease = self.lease.total_seconds()
        if before is not None and now - before > lease * 2 / BEATS_PER_LEASE:
            self._judges_from = now + lease
        return now < self._judges_from
