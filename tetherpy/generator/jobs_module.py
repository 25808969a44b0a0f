"""Typed functions that enqueue the jobs of ``tether.yaml``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .python_source import call, literal
from .settings import JobDeclaration
from .templates_text import filled


def jobs_module(jobs: Sequence[JobDeclaration]) -> str:
    """Return the source of a module with one function per job."""
    by_key = [job for job in jobs if job.definition is None]
    # For type checkers only: the module of a payload may import the providers.
    typed = _modules(by_key) - _modules(job for job in jobs if job.definition is not None)
    imports = [f"import {module}" for module in sorted(_modules(jobs) - typed)]
    if by_key:
        names = "TYPE_CHECKING, Unpack" if typed else "Unpack"
        blocks = [[f"from typing import {names}"]]
        blocks.append(["from tetherpy import BackgroundJobManager, EnqueueOptions, JobId"])
    else:
        blocks = []
    if imports:
        blocks.append(imports)
    if typed:
        blocks.append(["if TYPE_CHECKING:", *(f"    import {module}" for module in sorted(typed))])
    lines = "\n\n".join("\n".join(block) for block in blocks)
    return filled("providers/jobs", {"imports": lines, "functions": "".join(map(_function, jobs))})


def _modules(jobs: Iterable[JobDeclaration]) -> set[str]:
    return {job.payload.partition(":")[0] for job in jobs if job.payload is not None}


def _function(job: JobDeclaration) -> str:
    if job.definition is not None:
        return filled("providers/defined_job", {"name": job.function, "definition": job.definition.replace(":", ".")})
    payload = "payload: object = None" if job.payload is None else f"payload: {job.payload.replace(':', '.')}"
    values = {
        "name": job.function,
        "payload": payload,
        "enqueue": call("    return await manager.enqueue", [literal(job.key), "payload", "**options"]),
    }
    return filled("providers/job", values)
