"""Leases of RUNNING jobs, and noticing those that nobody extends."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import timedelta
from typing import Generic, TypeVar

import attrs

L = TypeVar("L", bound=Hashable)

DEFAULT_LEASE = timedelta(seconds=30)
WORKER_DIED = "worker died"
LEASE_EXPIRED = "lease expired"


@attrs.frozen
class Lease:
    """Identify one state of one job's lease; whatever extends the lease makes it another."""

    job_id: int
    attempt: object
    expires_at: object


@attrs.frozen
class Registration:
    """Identify one state of a worker's registration, which is a lease as well: each heartbeat makes it another."""

    worker_id: str
    heartbeat_at: object


@attrs.define
class LeaseWatch(Generic[L]):
    """Notice leases that nobody extends, by this process' monotonic clock alone.

    Wall clocks are moved and differ; a lease seen unchanged for as long as it lasts has a worker
    that does not answer, whatever time anyone believes it is.
    """

    lease: timedelta
    _monotonic: Callable[[], float]
    _first_seen: dict[L, float] = attrs.field(init=False, factory=dict[L, float])

    def overdue(self, leases: frozenset[L]) -> frozenset[L]:
        """Return those of the present leases that have not changed for too long."""
        now = self._monotonic()
        self._first_seen = {lease: self._first_seen.get(lease, now) for lease in leases}
        longest = self.lease.total_seconds()
        return frozenset(lease for lease, seen in self._first_seen.items() if now - seen >= longest)
