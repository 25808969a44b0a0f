"""What a worker holds, so that a claim whose answer was lost on the way is not held by nobody."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from ..outcomes import Claim, Settlement


@attrs.define
class HeldClaims:
    """Remember, for each worker that uses the engine, which claims it was told of and has not settled.

    After an exchange whose connection was lost, the server may have claimed jobs that the worker never heard
    of. Its heartbeat would keep them for ever; so the next exchange hands back all that is not held here.
    """

    _held: dict[str, set[int]] = attrs.Factory(dict[str, "set[int]"])
    _doubtful: set[str] = attrs.Factory(set[str])

    def doubt(self, worker_id: str) -> None:
        """Note that nobody knows what the last exchange of a worker did."""
        self._doubtful.add(worker_id)

    def unheard_but(self, worker_id: str) -> list[int] | None:
        """Return what the worker knows it holds if there is doubt, None if there is none."""
        return sorted(self._held.get(worker_id, ())) if worker_id in self._doubtful else None

    def exchanged(self, worker_id: str, settlements: Iterable[Settlement], claims: Iterable[Claim]) -> None:
        """Note an exchange that was answered."""
        self._doubtful.discard(worker_id)
        held = self._held.setdefault(worker_id, set())
        held.difference_update(settlement.claim.id for settlement in settlements)
        held.update(claim.id for claim in claims)

    def forget(self, worker_id: str) -> None:
        """Note that a worker is gone."""
        self._held.pop(worker_id, None)
        self._doubtful.discard(worker_id)
