"""The claims that each worker holds, to release those whose response was lost."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from ..outcomes import Ack, Claim


@attrs.define
class HeldClaims:
    """Remember the claims that each worker of the engine received and has not acknowledged.

    If the connection is lost during a fetch, the server may have claimed jobs that the worker does not know. Its
    heartbeat would extend their leases forever, so the next fetch releases all claims that are not held here.
    """

    _held: dict[str, set[int]] = attrs.Factory(dict[str, "set[int]"])
    """Fencing tokens, not ids: a worker may claim a job again while its handler of a lost claim still runs."""
    _uncertain: set[str] = attrs.Factory(set[str])

    def response_lost(self, worker_id: str) -> None:
        """Note that the result of a worker's last fetch is unknown."""
        self._uncertain.add(worker_id)

    def to_reconcile(self, worker_id: str) -> list[int] | None:
        """Return the fencing tokens that the worker holds if a response was lost, else None."""
        if worker_id not in self._uncertain:
            return None
        return sorted(self._held.get(worker_id, ()))

    def acknowledged_and_fetched(self, worker_id: str, acknowledged: Iterable[Ack], claims: Iterable[Claim]) -> None:
        """Note a fetch whose response arrived."""
        self._uncertain.discard(worker_id)
        held = self._held.setdefault(worker_id, set())
        held.difference_update(given.claim.fencing_token for given in acknowledged)
        held.update(claim.fencing_token for claim in claims)

    def forget(self, worker_id: str) -> None:
        """Forget a worker that has left."""
        self._held.pop(worker_id, None)
        self._uncertain.discard(worker_id)
