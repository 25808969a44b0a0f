"""Typed functions that enqueue the jobs which ``tether.yaml`` declares."""

from __future__ import annotations

from collections.abc import Sequence

from .names import literal, snake_case
from .settings import JobDeclaration


def jobs_module(jobs: Sequence[JobDeclaration]) -> str:
    """Return the source of a module with one function per job."""
    modules = sorted({job.payload.partition(":")[0] for job in jobs if job.payload is not None})
    imports = [
        "from typing import Unpack",
        "from tetherpy.jobs import BackgroundJobManager, EnqueueOptions",
        "\n".join(f"import {module}" for module in modules),
    ]
    head = '"""Enqueue the jobs of this app, with payloads of their own types."""'
    return "\n\n".join([head, *filter(None, imports)]) + "\n" + "".join(map(_function, jobs))


def _function(job: JobDeclaration) -> str:
    payload = "payload: object = None" if job.payload is None else f"payload: {job.payload.replace(':', '.')}"
    return f'''

async def enqueue_{snake_case(job.key)}(
    manager: BackgroundJobManager,
    {payload},
    **options: Unpack[EnqueueOptions],
) -> int:
    """Enqueue a job and return its id; durable when this returns."""
    return await manager.enqueue({literal(job.key)}, payload, **options)
'''
