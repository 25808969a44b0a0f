"""Typed functions that enqueue the jobs of ``tether.yaml``."""

from __future__ import annotations

from collections.abc import Sequence

from .python_source import call, literal
from .settings import JobDeclaration
from .templates_text import filled


def jobs_module(jobs: Sequence[JobDeclaration]) -> str:
    """Return the source of a module with one function per job."""
    modules = sorted({job.payload.partition(":")[0] for job in jobs if job.payload is not None})
    # For type checkers only: the module of a payload may import the providers.
    typed = "\n".join(["", "if TYPE_CHECKING:", *(f"    import {module}" for module in modules), ""]) if modules else ""
    typing = "TYPE_CHECKING, Unpack" if modules else "Unpack"
    functions = "".join(map(_function, jobs))
    return filled("providers/jobs", {"typing": typing, "payloads": typed, "functions": functions})


def _function(job: JobDeclaration) -> str:
    payload = "payload: object = None" if job.payload is None else f"payload: {job.payload.replace(':', '.')}"
    values = {
        "name": job.function,
        "payload": payload,
        "enqueue": call("    return await manager.enqueue", [literal(job.key), "payload", "**options"]),
    }
    return filled("providers/job", values)
