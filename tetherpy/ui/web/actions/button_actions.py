"""The endpoints of forms and buttons: each makes one call and returns a message."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
from starlette.exceptions import HTTPException

from tetherpy.errors import DurationError
from tetherpy.jobs import BackgroundJobManager, NewJob
from tetherpy.reactive import ProviderContainer
from tetherpy.safe_text import one_line, plain
from tetherpy.service import BackgroundService, ServiceDiffersError, WorkerStartError

from ...actions import CONFIRM_STOP, start_workers, stop_workers
from ...errors import FieldError
from ...option_fields import read_json, read_options
from ..pages.page_providers import PageProviders
from ..pages.schema_form import fields_of, payload_of
from .job_actions import JobActionRequest
from .responses import ConfirmationForm, Form, Outcome


@attrs.frozen(eq=False)
class Actions:
    """The actions of the page: each reads the fields of a form and returns an outcome."""

    container: ProviderContainer
    sources: PageProviders

    async def change_jobs(self, form: Form) -> Outcome:
        """Retry, cancel or delete the selected jobs, or the next batch of all jobs that match the filters."""
        request = JobActionRequest.of(form)
        manager = await self._manager()
        ids, cursor = await request.batch(manager)
        results = await request.action.run(manager.engine, ids)
        return Outcome(
            message=one_line(results.message(request.earlier), 1000),
            failed=bool(results.refused),
            done=request.earlier + len(results.done),
            more=cursor is not None,
            cursor=cursor,
        )

    def confirm_change(self, form: Form) -> ConfirmationForm | None:
        """Return the confirmation that a change of jobs needs; None if it needs none."""
        request = JobActionRequest.of(form)
        return None if request.prompt is None else ConfirmationForm(request.prompt, "actions", request.fields)

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
            raise FieldError("job_key", "Handler is required.")
        handler = self.sources.handler(self.container, job_key)
        fields = fields_of(handler.payload_schema)
        if fields is not None and "payload" not in form:
            payload: object = payload_of(fields, form)
        else:
            payload = read_json(form, "payload")
        return NewJob(
            job_key=job_key,
            payload=payload,
            **read_options(form, handler.options),
        )

    async def start(self, form: Form) -> Outcome:
        """Start the workers."""
        if not self.sources.startable:
            raise HTTPException(404, "Cannot start workers: no initialization callback configured.")
        try:
            return Outcome(message=await start_workers(self._service()), goto="service")
        except (WorkerStartError, ServiceDiffersError) as error:
            message, _, detail = str(error).partition("\n")
            return Outcome(message=one_line(message, 1000), detail=plain(detail), failed=True)

    async def stop(self, form: Form) -> Outcome:
        """Stop the workers."""
        return Outcome(message=await stop_workers(self._service()), goto="service")

    def confirm_stop(self, form: Form) -> ConfirmationForm:
        """Return the confirmation before the workers are stopped."""
        return ConfirmationForm(CONFIRM_STOP, "service/stop", [])

    async def _manager(self) -> BackgroundJobManager:
        return await self.container.read(self.sources.manager.future)

    def _service(self) -> BackgroundService:
        if self.sources.service is None:
            raise HTTPException(404, "No service configured.")
        return self.container.read(self.sources.service)
