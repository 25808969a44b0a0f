"""What people are told while jobs wait for nothing."""

from __future__ import annotations

from tetherpy.jobs import JobEngine

from ..output.formats import remark


async def hint_at_workers(engine: JobEngine) -> None:
    """Tell a person how to start workers if there are none."""
    if not await engine.workers():
        remark("No worker runs, so jobs wait: tetherpy service start, or tetherpy worker.")
