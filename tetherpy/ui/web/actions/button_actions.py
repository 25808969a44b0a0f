"""What the buttons do: each is one call of the manager or the service, and one sentence about its outcome."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs
import msgspec
from starlette.exceptions import HTTPException

from tetherpy.errors import DurationError, TetherError
from tetherpy.jobs import BackgroundJobManager, NewJob
from tetherpy.reactive import ProviderContainer
from tetherpy.service import BackgroundService, ServiceDiffersError, WorkerStartError

from ...safe_text import one_line, plain
from ..errors import FieldError
from ..pages.page_providers import PageProviders
from ..pages.schema_form import fields_of, payload_of
from .job_actions import STEPS, JobActions
from .responses import Confirmation, Form, Outcome

STOP_SECONDS = 10.0
TOLD = 3
"""Refusals that are told in full."""


@attrs.frozen(eq=False)
class Actions:
    """Act for a page: each reads the fields of a form, and tells how it went."""

    container: ProviderContainer
    sources: PageProviders

    async def steer(self, form: Form) -> Outcome:
        """Retry, cancel or delete the jobs that were chosen, or the next of all that pass a filter."""
        asked = JobActions.of(form)
        manager = await self._manager()
        ids = await asked.jobs(manager)
        outcome = await self._each(manager, asked.step, ids)
        before_id = asked.next_after(ids)
        return attrs.evolve(outcome, more=before_id is not None, before_id=before_id)

    def confirm(self, form: Form) -> Confirmation | None:
        """Return what is to be asked before jobs are steered."""
        asked = JobActions.of(form)
        return None if asked.question is None else Confirmation(asked.question, asked.fields)

    async def _each(self, manager: BackgroundJobManager, step: str, ids: Iterable[int]) -> Outcome:
        told, act = STEPS[step]
        refusals: list[str] = []
        done = 0
        for job_id in ids:
            try:
                await act(manager, job_id)
                done += 1
            except TetherError as error:
                refusals.append(str(error))
        jobs = "1 job" if done == 1 else f"{done} jobs"
        message = f"{jobs} {told}." if done or not refusals else f"No job {told}."
        if refusals:
            message += f" {len(refusals)} refused: {' '.join(refusals[:TOLD])}"
        return Outcome(message=one_line(message, 1000), failed=bool(refusals), done=done)

    async def enqueue(self, form: Form) -> Outcome:
        """Enqueue the job that a form describes."""
        try:
            job = self._new_job(form)
        except FieldError as error:
            return Outcome(message=str(error), failed=True, field=error.field)
        except DurationError as error:
            return Outcome(message=one_line(str(error), 1000), failed=True, field=error.name.rpartition(".")[2])
        except (ValueError, OverflowError) as error:
            return Outcome(message=one_line(str(error), 1000), failed=True)
        manager = await self._manager()
        (job_id,) = await manager.enqueue_many([job])
        return Outcome(message=f"Job {job_id} enqueued.", done=1, goto=f"jobs/{job_id}")

    def _new_job(self, form: Mapping[str, str]) -> NewJob:
        job_key = form.get("job_key", "").strip()
        if not job_key:
            raise FieldError("job_key", "Say which handler is to do the job.")
        fields = fields_of(self.sources.schema_of(self.container, job_key))
        if fields is not None and "payload" not in form:
            payload: object = payload_of(fields, form)
        else:
            payload = _json(form.get("payload", ""))
        return NewJob(
            job_key=job_key,
            payload=payload,
            priority=_whole(form, "priority", 0),
            max_attempts=_whole(form, "max_attempts", 3),
            delay=_seconds(form, "delay"),
            timeout=_seconds(form, "timeout"),
            queue=form.get("queue", "").strip() or "default",
            unique_key=form.get("unique_key", "").strip() or None,
        )

    async def start(self, form: Form) -> Outcome:
        """Start the workers."""
        if not self.sources.startable:
            raise HTTPException(404, "This dashboard does not know what workers are to do.")
        try:
            await self._service().start()
        except (WorkerStartError, ServiceDiffersError) as error:
            message, _, detail = str(error).partition("\n")
            return Outcome(message=one_line(message, 1000), detail=plain(detail), failed=True)
        return Outcome(message="The workers are ready.", goto="service")

    async def stop(self, form: Form) -> Outcome:
        """Stop the workers; what does not finish within ``STOP_SECONDS`` is handed back."""
        await self._service().stop(STOP_SECONDS)
        return Outcome(message="The workers have stopped.", goto="service")

    async def _manager(self) -> BackgroundJobManager:
        return await self.container.read(self.sources.manager.future)

    def _service(self) -> BackgroundService:
        if self.sources.service is None:
            raise HTTPException(404, "This dashboard has no service to start or stop.")
        return self.container.read(self.sources.service)


def _json(text: str) -> object:
    if not text.strip():
        return None
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise FieldError("payload", f"This is no JSON: {error}") from error


def _whole(form: Mapping[str, str], name: str, usual: int) -> int:
    text = form.get(name, "").strip()
    try:
        return int(text) if text else usual
    except ValueError as error:
        raise FieldError(name, "It is a whole number.") from error


def _seconds(form: Mapping[str, str], name: str) -> float | None:
    text = form.get(name, "").strip()
    try:
        return float(text) if text else None
    except ValueError as error:
        raise FieldError(name, "It is a number of seconds.") from error
