"""The errors of jobs that refused an action."""

from __future__ import annotations

from tetherpy.ui import JobResults

from ..output.error_reporting import FAILED, complain


def exit_code_of(results: JobResults) -> int:
    """Print the errors of an action, and return the exit code."""
    for error in results.refused:
        complain(error)
    return FAILED if results.refused else 0
