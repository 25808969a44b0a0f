"""The actions behind every button: retry, cancel and delete jobs, start and stop workers.

The page, the terminal app and the command line share their calls, confirmations, messages and the stop timeout.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final

import attrs

from tetherpy.jobs import BackgroundJob, JobError, JobNotFoundError, JobStore

if TYPE_CHECKING:
    from tetherpy.service import BackgroundService

STOP_TIMEOUT: Final = 30.0
"""Seconds that running jobs have to finish after a stop; then they are released."""
_REFUSALS_SHOWN: Final = 3


@attrs.frozen
class Confirmation:
    """A prompt before an action: its text, and the labels of the button that confirms and of the one that does not."""

    text: str
    yes: str
    no: str = "No"


@attrs.frozen(kw_only=True)
class JobAction:
    """One action on jobs.

    Attributes:
        name: the name in forms, such as ``retry``.
        done: the message afterwards, with a place for ``{jobs}``.
        call: applies the action to one job; raises ``JobError``.
        undoable: whether another action can undo it. One that cannot be undone asks for confirmation.
    """

    name: str
    done: str
    call: Callable[[JobStore, int], Awaitable[BackgroundJob | None]]
    undoable: bool = True

    def confirm_one(self, job_id: int) -> Confirmation | None:
        """Return the prompt for one job; None if the action needs no confirmation."""
        return None if self.undoable else self._confirmation(f"job {job_id} and its attempts")

    def confirm_selected(self) -> Confirmation | None:
        """Return the prompt for the selected jobs; None if the action needs no confirmation."""
        return None if self.undoable else self._confirmation("the selected jobs and their attempts")

    def confirm_all(self, jobs: str) -> Confirmation:
        """Return the prompt for all jobs of a description, such as ``all failed jobs``."""
        return attrs.evolve(self._confirmation(jobs), yes=f"{self.name.capitalize()} all")

    def _confirmation(self, jobs: str) -> Confirmation:
        text = f"{self.name.capitalize()} {jobs}?"
        return Confirmation(text if self.undoable else f"{text} This cannot be undone.", self.name.capitalize())

    def message(self, count: int, job_id: int | None = None) -> str:
        """Return the message after the action on so many jobs, or on one job by its id."""
        jobs = f"{count:,} job{'' if count == 1 else 's'}" if job_id is None else f"job {job_id}"
        text = self.done.format(jobs=jobs)
        return text[:1].upper() + text[1:]

    async def run(self, engine: JobStore, job_ids: Iterable[int]) -> JobResults:
        """Apply the action to each job; a job that refuses it does not keep it from the others."""
        done: dict[int, BackgroundJob | None] = {}
        refused: list[JobError] = []
        for job_id in job_ids:
            try:
                done[job_id] = await self.call(engine, job_id)
            except JobError as error:
                refused.append(error)
        return JobResults(self, done, refused)


@attrs.frozen
class JobResults:
    """The results of an action on several jobs: the jobs it was applied to, by id, and the errors of the others."""

    action: JobAction
    done: Mapping[int, BackgroundJob | None]
    refused: list[JobError]

    @property
    def jobs(self) -> list[BackgroundJob]:
        """The changed jobs."""
        return [job for job in self.done.values() if job is not None]

    def message(self, earlier: int = 0) -> str:
        """Return the message; ``earlier`` counts the jobs of earlier batches of the same request."""
        count = earlier + len(self.done)
        parts: list[str] = []
        if count or not self.refused:
            parts.append(self.action.message(count, next(iter(self.done)) if self.done and count == 1 else None))
        shown = " ".join(str(error) for error in self.refused[:_REFUSALS_SHOWN])
        if self.refused:
            parts.append(shown if not count and len(self.refused) == 1 else f"{len(self.refused)} refused: {shown}")
        return " ".join(parts)


async def _reset_and_retry(engine: JobStore, job_id: int) -> BackgroundJob:
    return await engine.retry(job_id, reset_attempts=True)


async def _delete(engine: JobStore, job_id: int) -> None:
    if not await engine.delete(job_id):
        raise JobNotFoundError(job_id)


RETRY: Final = JobAction(
    name="retry",
    done="{jobs} queued for retry.",
    call=lambda engine, job_id: engine.retry(job_id, reset_attempts=False),
)
"""Makes a finished job PENDING for one more attempt."""

RESET_AND_RETRY: Final = attrs.evolve(RETRY, call=_reset_and_retry)
"""Makes a finished job PENDING with all its attempts."""

CANCEL: Final = JobAction(
    name="cancel",
    done="Cancellation requested for {jobs}.",
    call=lambda engine, job_id: engine.request_cancel(job_id),
)
"""Cancels a pending job, and requests the cancellation of a running one."""

DELETE: Final = JobAction(name="delete", done="{jobs} deleted.", call=_delete, undoable=False)
"""Deletes a job that does not run, with its attempts."""

JOB_ACTIONS: Final[Mapping[str, JobAction]] = {action.name: action for action in (RETRY, CANCEL, DELETE)}
"""The actions of buttons, by name."""

CONFIRM_STOP: Final = Confirmation(
    f"Stop the workers? Running jobs have {STOP_TIMEOUT:.0f} seconds to finish; "
    "jobs that take longer are released and run again after the next start.",
    "Stop",
)
"""The prompt before the workers are stopped."""

STOPPING: Final = f"Stopping: running jobs have {STOP_TIMEOUT:.0f} seconds to finish."
"""The message while the workers stop."""


async def start_workers(service: BackgroundService) -> str:
    """Start the workers of a service, and return the message; errors as ``BackgroundService.start``."""
    await service.start()
    return "Workers started."


async def stop_workers(service: BackgroundService) -> str:
    """Stop the workers of a service within ``STOP_TIMEOUT``, and return the message."""
    await service.stop(STOP_TIMEOUT)
    return "Workers stopped."
