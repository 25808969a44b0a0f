"""What is asked before something is done: by a dialog where there are scripts, else by a page."""

from __future__ import annotations

import attrs

from tetherpy.jobs import BackgroundJobStatus


@attrs.frozen
class ConfirmationPrompt:
    """Ask ``text``; ``yes`` is what the button says that does it, ``no`` what the one says that does not."""

    text: str
    yes: str
    no: str = "Keep"


def ask_of_one(step: str, job_id: int) -> ConfirmationPrompt | None:
    """Return what is asked before a step is taken with one job; None where it is just done."""
    if step != "delete":
        return None
    return ConfirmationPrompt(f"Delete job {job_id} and its attempts? It cannot be brought back.", "Delete")


def ask_of_chosen(step: str) -> ConfirmationPrompt | None:
    """Return what is asked before a step is taken with the jobs that were chosen; None where it is just done."""
    if step != "delete":
        return None
    return ConfirmationPrompt("Delete the chosen jobs and their attempts? They cannot be brought back.", "Delete")


def ask_of_all(step: str, status: BackgroundJobStatus | None) -> ConfirmationPrompt:
    """Return what is asked before a step is taken with all jobs that pass a filter."""
    jobs = f"all {status.lower()} jobs that pass the filter" if status else "all jobs that pass the filter"
    match step:
        case "retry":
            return ConfirmationPrompt(f"Run {jobs} again?", "Retry all")
        case "cancel":
            return ConfirmationPrompt(f"Cancel {jobs}?", "Cancel all")
        case _:
            return ConfirmationPrompt(f"Delete {jobs}, with their attempts? They cannot be brought back.", "Delete all")
