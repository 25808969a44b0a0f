"""What a form asks to be done to jobs: which step, and with which jobs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping

import attrs
from starlette.datastructures import ImmutableMultiDict
from starlette.exceptions import HTTPException

from tetherpy.jobs import BackgroundJobManager

from ..pages.confirmations import ConfirmationPrompt, ask_of_all, ask_of_chosen, ask_of_one
from ..pages.job_filters import JobFilter, read_id

AT_ONCE = 500
"""Jobs that one request acts on; a page asks again while there are more."""

STEPS: Mapping[str, tuple[str, Callable[[BackgroundJobManager, int], Awaitable[object]]]] = {
    "retry": ("will run again", lambda manager, job_id: manager.retry_job(job_id)),
    "cancel": ("cancelled or asked to stop", lambda manager, job_id: manager.cancel_job(job_id)),
    "delete": ("deleted", lambda manager, job_id: manager.delete_job(job_id)),
}
"""What can be done to a job, and how it is told."""


@attrs.frozen(kw_only=True)
class JobActions:
    """Hold a step, and the jobs that it is for: ``ids``, or all that pass the filter ``wanted``.

    With a filter the newest jobs come first, ``AT_ONCE`` at a time, those with lower ids than ``before_id``.
    """

    step: str
    ids: tuple[int, ...] = ()
    wanted: JobFilter | None = None
    before_id: int | None = None
    question: ConfirmationPrompt | None = None
    """What is to be asked before; None where it is just done."""

    @classmethod
    def of(cls, form: ImmutableMultiDict[str, str]) -> JobActions:
        """Read a form; an HTTP error for one that names no step, or too many jobs or none."""
        step, _, single = form.get("action", "").partition(":")
        if step not in STEPS:
            raise HTTPException(400, "There is no such action.")
        if form.get("scope") == "all":
            wanted = attrs.evolve(JobFilter.of(form), order="DESC", page=1)
            before = _numbers([form.get("before_id", "")])
            question = ask_of_all(step, wanted.status)
            return cls(step=step, wanted=wanted, before_id=before[0] if before else None, question=question)
        ids = _numbers([single] if single else form.getlist("id"))
        if not ids or len(ids) > AT_ONCE:
            raise HTTPException(400, f"Choose 1 to {AT_ONCE} jobs.")
        return cls(step=step, ids=ids, question=ask_of_one(step, ids[0]) if single else ask_of_chosen(step))

    @property
    def fields(self) -> list[tuple[str, str]]:
        """Return it as the fields of a form."""
        if self.wanted is None:
            return [("action", self.step), *(("id", str(job_id)) for job_id in self.ids)]
        before = [] if self.before_id is None else [("before_id", str(self.before_id))]
        return [("action", self.step), ("scope", "all"), *self.wanted.fields.items(), *before]

    async def jobs(self, manager: BackgroundJobManager) -> tuple[int, ...]:
        """Return the ids of the jobs, ``AT_ONCE`` at most."""
        if self.wanted is None:
            return self.ids
        query = attrs.evolve(self.wanted.query, limit=AT_ONCE, before_id=self.before_id)
        return tuple(job.id for job in await manager.engine.find(query))

    def next_after(self, ids: tuple[int, ...]) -> int | None:
        """Return the ``before_id`` to go on from after these jobs; None where there are no more."""
        return None if self.wanted is None or len(ids) < AT_ONCE else ids[-1]


def _numbers(texts: Iterable[str]) -> tuple[int, ...]:
    return tuple(number for text in texts if (number := read_id(text)) is not None)
