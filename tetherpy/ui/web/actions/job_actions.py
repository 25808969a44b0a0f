"""The request of a form to change jobs: the action, and the jobs to apply it to."""

from __future__ import annotations

from collections.abc import Iterable

import attrs
from starlette.datastructures import ImmutableMultiDict
from starlette.exceptions import HTTPException

from tetherpy.jobs import BackgroundJobManager

from ...actions import JOB_ACTIONS, Confirmation, JobAction
from ..pages.job_filters import JobFilter, read_id

BATCH_SIZE = 500
"""Jobs that one request changes; the page sends the request again while there are more."""


@attrs.frozen(kw_only=True)
class JobActionRequest:
    """An action and its jobs: those of ``ids``, or all that match the filter ``wanted``.

    With a filter the newest jobs come first, ``BATCH_SIZE`` at a time, those after ``cursor``.
    """

    action: JobAction
    ids: tuple[int, ...] = ()
    wanted: JobFilter | None = None
    cursor: int | None = None
    earlier: int = 0
    """Jobs that earlier batches changed."""
    prompt: Confirmation | None = None
    """The confirmation that is needed, if any."""

    @classmethod
    def of(cls, form: ImmutableMultiDict[str, str]) -> JobActionRequest:
        """Read a form; raises an HTTP error without a known action, or with too many jobs or none."""
        name, _, single = form.get("action", "").partition(":")
        action = JOB_ACTIONS.get(name)
        if action is None:
            raise HTTPException(400, "Unknown action.")
        if form.get("scope") == "all":
            wanted = attrs.evolve(JobFilter.of(form), order="DESC", page=1)
            return cls(
                action=action,
                wanted=wanted,
                cursor=read_id(form.get("cursor", "")),
                earlier=read_id(form.get("done", "")) or 0,
                prompt=action.confirm_all(wanted.description),
            )
        ids = _ids([single] if single else form.getlist("id"))
        if not ids or len(ids) > BATCH_SIZE:
            raise HTTPException(400, f"Select 1 to {BATCH_SIZE} jobs.")
        prompt = action.confirm_one(ids[0]) if single else action.confirm_selected()
        return cls(action=action, ids=ids, prompt=prompt)

    @property
    def fields(self) -> list[tuple[str, str]]:
        """Return the request as the fields of a form."""
        if self.wanted is None:
            return [("action", self.action.name), *(("id", str(job_id)) for job_id in self.ids)]
        position = {"cursor": self.cursor, "done": self.earlier}
        return [
            ("action", self.action.name),
            ("scope", "all"),
            *self.wanted.fields.items(),
            *((name, str(value)) for name, value in position.items() if value),
        ]

    async def batch(self, manager: BackgroundJobManager) -> tuple[tuple[int, ...], int | None]:
        """Return the ids of the jobs, ``BATCH_SIZE`` at most, and the cursor of the next batch, None after the last."""
        if self.wanted is None:
            return self.ids, None
        page = await manager.find_jobs(attrs.evolve(self.wanted.query, limit=BATCH_SIZE, cursor=self.cursor))
        return tuple(job.id for job in page), page.next


def _ids(texts: Iterable[str]) -> tuple[int, ...]:
    return tuple(number for text in texts if (number := read_id(text)) is not None)
