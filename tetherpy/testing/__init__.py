"""A pytest plugin for apps, with fixtures for containers, jobs and time.

The plugin is registered with pytest when tetherpy is installed; the rest of the library never imports it. The
names here are the types of the fixtures' values; they are imported when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tetherpy.facades import lazy_facade

if TYPE_CHECKING:
    from .clock import Clock
    from .errors import (
        ClockError,
        EndlessJobsError,
        ForeignClockError,
        OtherLoopError,
        StuckJobsError,
        TestingArgumentError,
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
    "TestingArgumentError",
    "TestingError",
]

_MODULES = {"Clock": "clock", "JobList": "job_list", "InlineJobs": "inline_jobs"}

if not TYPE_CHECKING:  # type checkers report the names that are not public
    __getattr__, __dir__ = lazy_facade(__name__, __all__, _MODULES, others="errors")
