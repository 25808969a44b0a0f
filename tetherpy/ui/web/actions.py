"""What the buttons do: each is one call of the manager or the service, and one sentence about its outcome."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping

import attrs
import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from tetherpy.errors import TetherError
from tetherpy.jobs import BackgroundJobManager, NewJob
from tetherpy.reactive import ProviderContainer
from tetherpy.service import BackgroundService, WorkerStartError

from ..cause import original
from ..plain import one_line, plain
from .filters import JobFilter
from .forms import read_form
from .schema_form import FieldError, fields_of, payload_of
from .sources import Sources

AT_ONCE = 500
"""Jobs that one request acts on; a page asks again while there are more."""
STOP_SECONDS = 10.0
TOLD = 3
"""Refusals that are told in full."""

STEPS: Mapping[str, tuple[str, Callable[[BackgroundJobManager, int], Awaitable[object]]]] = {
    "retry": ("will run again", lambda manager, job_id: manager.retry_job(job_id)),
    "cancel": ("cancelled or asked to stop", lambda manager, job_id: manager.cancel_job(job_id)),
    "delete": ("deleted", lambda manager, job_id: manager.delete_job(job_id)),
}
"""What can be done to a job, and how it is told."""


@attrs.frozen(kw_only=True)
class Outcome:
    """Tell how it went; ``done`` and ``more`` count jobs, ``goto`` is an address below the dashboard's."""

    message: str
    failed: bool = False
    detail: str = ""
    done: int = 0
    more: bool = False
    goto: str = ""
    field: str = ""


@attrs.frozen(eq=False)
class Actions:
    """Act for a page."""

    container: ProviderContainer
    sources: Sources

    async def steer(self, request: Request) -> Response:
        """Retry, cancel or delete the jobs that were chosen, or all that pass a filter."""
        form = await read_form(request)
        step, _, single = form.get("action", "").partition(":")
        if step not in STEPS:
            raise HTTPException(400, "There is no such action.")
        manager = await self.container.read(self.sources.manager.future)
        if form.get("scope") == "all":
            wanted = attrs.evolve(JobFilter.of(form).query, limit=AT_ONCE, offset=0)
            ids = [job.id for job in await manager.engine.find(wanted)]
        else:
            ids = _numbers([single] if single else form.getlist("id"))
        outcome = await self._each(manager, step, ids)
        return respond(request, attrs.evolve(outcome, more=form.get("scope") == "all" and len(ids) == AT_ONCE))

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

    async def enqueue(self, request: Request) -> Response:
        """Enqueue the job that a form describes."""
        form = await read_form(request)
        try:
            job = self._new_job(form)
        except FieldError as error:
            return respond(request, Outcome(message=str(error), failed=True, field=error.field))
        except (ValueError, OverflowError) as error:
            return respond(request, Outcome(message=one_line(str(error), 1000), failed=True))
        manager = await self.container.read(self.sources.manager.future)
        (job_id,) = await manager.enqueue_many([job])
        return respond(request, Outcome(message=f"Job {job_id} enqueued.", done=1, goto=f"jobs/{job_id}"))

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

    async def start(self, request: Request) -> Response:
        """Start the workers."""
        await read_form(request)
        if not self.sources.startable:
            raise HTTPException(404, "This dashboard does not know what workers are to do.")
        try:
            await self._service().start()
        except WorkerStartError as error:
            message, _, detail = str(error).partition("\n")
            return respond(request, Outcome(message=one_line(message, 1000), detail=plain(detail), failed=True))
        return respond(request, Outcome(message="The workers are ready.", goto="service"))

    async def stop(self, request: Request) -> Response:
        """Stop the workers; what does not finish within ``STOP_SECONDS`` is handed back."""
        await read_form(request)
        await self._service().stop(STOP_SECONDS)
        return respond(request, Outcome(message="The workers have stopped.", goto="service"))

    def _service(self) -> BackgroundService:
        if self.sources.service is None:
            raise HTTPException(404, "This dashboard has no service to start or stop.")
        return self.container.read(self.sources.service)


def told(action: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Return an action that answers with what kept it from being done, such as a database that is locked."""

    async def act(request: Request) -> Response:
        try:
            return await action(request)
        except TetherError as error:
            return respond(request, Outcome(message=one_line(str(original(error)), 1000), failed=True))

    return act


def respond(request: Request, outcome: Outcome) -> Response:
    """Answer a script with the outcome, and a form without one with the page to look at now."""
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse(attrs.asdict(outcome))
    root = request.scope.get("root_path", "")
    return RedirectResponse(f"{root}/{outcome.goto}", 303)


def _numbers(texts: Iterable[str]) -> list[int]:
    ids = [int(text) for text in texts if text.isascii() and text.isdecimal() and len(text) < 19]
    if not ids or len(ids) > AT_ONCE:
        raise HTTPException(400, f"Choose 1 to {AT_ONCE} jobs.")
    return ids


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
