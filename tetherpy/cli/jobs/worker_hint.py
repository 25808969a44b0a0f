"""A hint for users while no workers run."""

from __future__ import annotations

from tetherpy.jobs import JobEngine

from ..output.formats import remark


async def hint_at_workers(engine: JobEngine) -> None:
    """Print how to start workers if no workers are registered."""
    if not await engine.workers():
        remark("No workers running; jobs stay pending. Start workers: tetherpy service start, or tetherpy worker.")
