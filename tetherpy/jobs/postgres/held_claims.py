"""What a worker holds, so that a claim whose answer was lost on the way is not held by nobody."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from ..outcomes import Ack, Claim


@attrs.define
class HeldClaims:
    """Remember, for each worker that uses the engine, which claims it was told of and has not settled.

    After an exchange whose connection was lost, the server may have claimed jobs that the worker never heard
    of. Its heartbeat would keep them for ever; so the next exchange hands back all that is not held here.
    """

    _held: dict[str, set[int]] = attrs.Factory(dict[str, "set[int]"])
    """Fences: a job that was taken from a worker may be claimed by it again while its handler still runs."""
    _doubtful: set[str] = attrs.Factory(set[str])

    def doubt(self, worker_id: str) -> None:
        """Note that nobody knows what the last exchange of a worker did."""
        self._doubtful.add(worker_id)

    def heard_of(self, worker_id: str) -> list[int] | None:
        """Return the fences of what the worker knows it holds if there is doubt, None if there is none."""
        if worker_id not in self._doubtful:
            return None
        return sorted(self._held.get(worker_id, ()))

    def acknowledged_and_fetched(self, worker_id: str, acknowledged: Iterable[Ack], claims: Iterable[Claim]) -> None:
        """Note an exchange that was answered."""
        self._doubtful.discard(worker_id)
        held = self._held.setdefault(worker_id, set())
        held.difference_update(given.claim.fencing_token for given in acknowledged)
        held.update(claim.fencing_token for claim in claims)

    def forget(self, worker_id: str) -> None:
        """Note that a worker is gone."""
        self._held.pop(worker_id, None)
        self._doubtful.discard(worker_id)
