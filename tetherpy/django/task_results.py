"""Results of tasks, as Django describes them, from the rows of their jobs."""

from __future__ import annotations

import re
import traceback
from dataclasses import replace
from typing import Any

import attrs

from tetherpy.jobs import BackgroundJob, BackgroundJobStatus, JobAttempt, SyncJobManager

from .framework import django, tasks

_STATUS = {
    BackgroundJobStatus.PENDING: "READY",
    BackgroundJobStatus.RUNNING: "RUNNING",
    BackgroundJobStatus.COMPLETED: "SUCCESSFUL",
    BackgroundJobStatus.FAILED: "FAILED",
    BackgroundJobStatus.CANCELLED: "FAILED",
}


@attrs.frozen
class TaskCall:
    """The payload of a task's job: the path of the task, its backend, and the arguments."""

    task: str
    backend: str
    args: list[Any]
    kwargs: dict[str, Any]


def new_result(task: Any, call: TaskCall) -> Any:
    """Return the result of a task that is not stored yet; raises ``TypeError`` if its arguments are not JSON."""
    return _result(
        task,
        call,
        id="",
        status=_status("READY"),
        enqueued_at=django("utils.timezone.now")(),
        started_at=None,
        last_attempted_at=None,
        finished_at=None,
        errors=[],
        worker_ids=[],
    )


def result_of(jobs: SyncJobManager, job: BackgroundJob) -> Any:
    """Return the result of the task that a job runs."""
    call = job.payload_as(TaskCall)
    task = django("utils.module_loading.import_string")(call.task).using(
        backend=call.backend, priority=job.priority, queue_name=job.queue
    )
    attempts = [attempt for attempt in jobs.get_attempts(job.id) if attempt.started_at is not None]
    result = _result(
        task,
        call,
        id=str(job.id),
        status=_status(_STATUS[job.status]),
        enqueued_at=job.created_at,
        started_at=attempts[0].started_at if attempts else None,
        last_attempted_at=attempts[-1].started_at if attempts else None,
        finished_at=job.finished_at,
        errors=[_error(attempt) for attempt in attempts if attempt.traceback],
        worker_ids=[attempt.worker or "" for attempt in attempts],
    )
    return _returning(result, job.result)


def succeeded(result: Any, value: object) -> Any:
    """Return the result of a task whose function has returned."""
    now = django("utils.timezone.now")()
    return _returning(replace(result, status=_status("SUCCESSFUL"), finished_at=now), value)


def failed(result: Any, error: BaseException) -> Any:
    """Return the result of a task whose function has raised."""
    text = "".join(traceback.format_exception(error))
    path = f"{type(error).__module__}.{type(error).__qualname__}"
    errors = [*result.errors, tasks("base.TaskError")(exception_class_path=path, traceback=text)]
    return replace(result, status=_status("FAILED"), finished_at=django("utils.timezone.now")(), errors=errors)


def _result(task: Any, call: TaskCall, **fields: Any) -> Any:
    return tasks("base.TaskResult")(task=task, args=call.args, kwargs=call.kwargs, backend=call.backend, **fields)


def _returning(result: Any, value: object) -> Any:
    object.__setattr__(result, "_return_value", value)  # as the backends of Django do: it is no argument
    return result


def _status(name: str) -> Any:
    return tasks("base.TaskResultStatus")[name]


def _error(attempt: JobAttempt) -> Any:
    return tasks("base.TaskError")(exception_class_path=_class_path(attempt), traceback=attempt.traceback)


def _class_path(attempt: JobAttempt) -> str:
    """Return the path of the exception's class, whose module is in the traceback, unless it is built in."""
    text = (attempt.error or "").partition("\n")[0]
    name = re.match(r"[\w.<>]*", text)
    for line in reversed((attempt.traceback or "").splitlines()):
        module = line.removesuffix(text)
        if module != line and re.fullmatch(r"([\w.]+\.)?", module):
            return f"{module or 'builtins.'}{name[0] if name else 'Exception'}"
    return "builtins.Exception"
