"""What tests of an app need: a pytest plugin with fixtures for containers, jobs and time.

It is registered with pytest when tetherpy is installed, and never imported by the rest of the library. The
names here are the types of what its fixtures give; they are imported when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .clock import Clock
    from .errors import (
        ClockError,
        EndlessJobsError,
        ForeignClockError,
        OtherLoopError,
        StuckJobsError,
        TestingError,
    )
    from .inline_jobs import InlineJobs
    from .job_list import JobList

__all__ = [
    "Clock",
    "ClockError",
    "EndlessJobsError",
    "ForeignClockError",
    "InlineJobs",
    "JobList",
    "OtherLoopError",
    "StuckJobsError",
    "TestingError",
]

_MODULES = {"Clock": "clock", "JobList": "job_list", "InlineJobs": "inline_jobs"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f".{_MODULES.get(name, 'errors')}", __name__), name)
    globals()[name] = value
    return value
