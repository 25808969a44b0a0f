"""The manifest: handlers and periodic jobs of the workers, for apps that do not import them."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs
import msgspec

from tetherpy.jobs import Cron, Every, NewJob, decode, encode, stored_options
from tetherpy.observables import observable

from ..app.service_state import ServiceState, WorkerState
from ..errors import MessageError, ServiceNotRunningError
from ..execution.handlers import JobHandler
from ..execution.worker_context import WorkerContext
from ..worker.periodic_jobs import CatchUp, PeriodicJob
from . import frames

if TYPE_CHECKING:
    from reactivex import Observable

    from tetherpy.observables import IterableObservable

ASK = "tetherpy.manifest?"
ANSWER = "tetherpy.manifest"
"""Internal events; all others belong to the user."""
_DEFAULTS = stored_options(NewJob(job_key="any"))


@attrs.frozen(kw_only=True)
class HandlerInfo:
    """The description of a handler.

    ``payload_schema`` is the JSON Schema of its payload, or None if its type has none. ``timeout`` is in seconds.
    ``options`` are those of a job of its definition, as they are stored.
    """

    job_key: str
    summary: str = ""
    payload_schema: dict[str, Any] | None = None
    timeout: float | None = None
    options: dict[str, Any] = attrs.field(factory=partial(dict[str, Any], _DEFAULTS))


@attrs.frozen(kw_only=True)
class PeriodicInfo:
    """The description of a periodic job: its schedule, ``cron`` or ``every`` (seconds), and the job it enqueues.

    ``options`` are those of the job, as they are stored.
    """

    name: str
    job_key: str
    cron: str | None = None
    every: float | None = None
    time_zone: str = "UTC"
    payload_json: str | None = None
    options: dict[str, Any] = attrs.field(factory=partial(dict[str, Any], _DEFAULTS))
    catch_up: CatchUp = "none"

    @property
    def payload(self) -> Any:
        """Decode the payload of the jobs."""
        return decode(self.payload_json)

    def next_after(self, moment: datetime) -> datetime:
        """Return the first tick after an aware datetime, in UTC; ``CronMissingError`` without the extra ``cron``."""
        if self.cron is not None:
            return Cron(self.cron, self.time_zone).next_after(moment)
        return Every(timedelta(seconds=self.every or 0)).next_after(moment)


@attrs.frozen
class ServiceManifest:
    """The registered handlers and periodic jobs of a worker, sorted by name."""

    handlers: tuple[HandlerInfo, ...] = ()
    periodic: tuple[PeriodicInfo, ...] = ()

    def handler(self, job_key: str) -> HandlerInfo:
        """Return the description of a handler, or one with the default options if it is not known."""
        return next((info for info in self.handlers if info.job_key == job_key), HandlerInfo(job_key=job_key))


def serve_manifest(context: WorkerContext) -> None:
    """Answer requests for the manifest of this worker."""

    def answer(_: object) -> None:
        handlers = sorted(context.handlers.all, key=lambda handler: handler.job_key)
        periodic = sorted(context.periodic.values(), key=lambda job: job.name)
        described = ServiceManifest(tuple(map(_describe, handlers)), tuple(map(_describe_periodic, periodic)))
        context.supervisor_pipe.send(_fitting(described))

    context.event_bus.subscribe(ASK, answer)


def observe_manifest(
    on: Callable[[str], Observable[Any]],
    state: Observable[ServiceState],
    invoke: Callable[[str], Awaitable[None]],
) -> IterableObservable[ServiceManifest]:
    """Return an observable of the manifests of workers, which are requested whenever other workers become ready."""

    def listen(on_next: Callable[[ServiceManifest], None], *_: object) -> Callable[[], None]:
        asked: tuple[WorkerState, ...] = ()
        current: ServiceManifest | None = None
        asking: set[asyncio.Task[None]] = set()

        def on_state(seen: ServiceState) -> None:
            nonlocal asked
            ready = tuple(worker for worker in seen.workers if worker.id is not None)
            if ready != asked and ready:
                task = asyncio.get_running_loop().create_task(_ask(invoke))
                asking.add(task)
                task.add_done_callback(asking.discard)
            asked = ready

        def on_answer(data: Any) -> None:
            nonlocal current
            manifest = msgspec.convert(data, ServiceManifest)
            if manifest != current:
                current = manifest
                on_next(manifest)

        answers, states = on(ANSWER).subscribe(on_answer), state.subscribe(on_state)

        def stop() -> None:
            answers.dispose()
            states.dispose()
            for task in asking:
                task.cancel()

        return stop

    return observable(listen)


async def _ask(invoke: Callable[[str], Awaitable[None]]) -> None:
    try:
        await invoke(ASK)
    except ServiceNotRunningError:
        # The service has ended. The next one is asked when it is ready.
        return


def _describe(handler: JobHandler) -> HandlerInfo:
    try:
        schema = msgspec.json.schema(handler.annotation)
    except (TypeError, NameError, RecursionError, NotImplementedError):
        schema = None
    summary, _, _ = (inspect.getdoc(handler.function) or "").partition("\n")
    timeout = None if handler.timeout is None else handler.timeout.total_seconds()
    job = NewJob(job_key=handler.job_key) if handler.definition is None else handler.definition.new(None)
    return HandlerInfo(
        job_key=handler.job_key,
        summary=summary,
        payload_schema=schema,
        timeout=timeout,
        options=stored_options(job),
    )


def _describe_periodic(periodic: PeriodicJob) -> PeriodicInfo:
    schedule, job = periodic.schedule, periodic.job
    return PeriodicInfo(
        name=periodic.name,
        job_key=job.job_key,
        cron=schedule.expression if isinstance(schedule, Cron) else None,
        every=schedule.interval.total_seconds() if isinstance(schedule, Every) else None,
        time_zone=schedule.time_zone if isinstance(schedule, Cron) else "UTC",
        payload_json=encode(job.payload),
        options=stored_options(job),
        catch_up=periodic.catch_up,
    )


def _fitting(manifest: ServiceManifest) -> frames.Event:
    """Return the message; leave out schemas and payloads, then all entries, if it exceeds a frame."""
    bare = attrs.evolve(
        manifest,
        handlers=tuple(attrs.evolve(info, payload_schema=None) for info in manifest.handlers),
        periodic=tuple(attrs.evolve(info, payload_json=None) for info in manifest.periodic),
    )
    for described in (manifest, bare):
        try:
            frame = frames.decode(frames.event(ANSWER, described))
        except MessageError:
            continue
        assert isinstance(frame, frames.Event)
        return frame
    return frames.Event(ANSWER, msgspec.Raw(msgspec.json.encode(ServiceManifest())))
