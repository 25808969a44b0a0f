"""The states of a job and the one table of legal moves between them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class BackgroundJobStatus(StrEnum):
    """The state of a job; the value is stored in the ``status`` column."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_finished(self) -> bool:
        """Tell whether the job has ended; only a retry can start it again."""
        return self in FINISHED


FINISHED = frozenset({BackgroundJobStatus.COMPLETED, BackgroundJobStatus.FAILED, BackgroundJobStatus.CANCELLED})

LEGAL_MOVES: Mapping[BackgroundJobStatus, Mapping[BackgroundJobStatus, str]] = MappingProxyType(
    {
        BackgroundJobStatus.PENDING: MappingProxyType(
            {
                BackgroundJobStatus.RUNNING: "claimed by a worker",
                BackgroundJobStatus.CANCELLED: "cancelled before it ran",
            }
        ),
        BackgroundJobStatus.RUNNING: MappingProxyType(
            {
                BackgroundJobStatus.COMPLETED: "handler returned",
                BackgroundJobStatus.FAILED: "last attempt failed",
                BackgroundJobStatus.CANCELLED: "handler stopped on request",
                BackgroundJobStatus.PENDING: "retried, snoozed or released",
            }
        ),
        BackgroundJobStatus.COMPLETED: MappingProxyType({BackgroundJobStatus.PENDING: "run again"}),
        BackgroundJobStatus.FAILED: MappingProxyType({BackgroundJobStatus.PENDING: "retried manually"}),
        BackgroundJobStatus.CANCELLED: MappingProxyType({BackgroundJobStatus.PENDING: "retried manually"}),
    }
)
"""Legal transitions by state, each with its cause; any other raises ``IllegalJobTransitionError``."""


def state_diagram() -> str:
    """Return the legal transitions as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {BackgroundJobStatus.PENDING}: enqueued"]
    lines += [
        f"    {source} --> {target}: {cause}"
        for source, targets in LEGAL_MOVES.items()
        for target, cause in targets.items()
    ]
    lines += [f"    {status} --> [*]" for status in BackgroundJobStatus if status.is_finished]
    return "\n".join(lines) + "\n"
