"""Leases of RUNNING jobs, and the detection of expired ones."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import timedelta
from typing import Generic, TypeVar

import attrs

from tetherpy.durations import to_span

L = TypeVar("L", bound=Hashable)

DEFAULT_LEASE = timedelta(seconds=30)
WORKER_DIED = "worker died"
LEASE_EXPIRED = "lease expired"


def lease_span(value: timedelta | float) -> timedelta:
    """Return the duration of a lease, which must be longer than zero."""
    return to_span("lease", value, positive=True)


@attrs.frozen
class Lease:
    """One state of a job's lease; each extension makes a different one."""

    job_id: int
    attempt: object
    expires_at: object


@attrs.frozen
class Registration:
    """One state of a worker's registration; each heartbeat makes a different one."""

    worker_id: str
    heartbeat_at: object


@attrs.define
class LeaseWatch(Generic[L]):
    """Detect leases that are not extended, by this process' monotonic clock.

    Wall clocks differ between machines and can be changed. The worker of a lease that stays unchanged for the length
    of a lease does not respond, independent of any wall clock.
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
