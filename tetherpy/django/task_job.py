"""The job of a task: its definition and handler, and the initialization callback of its worker."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tetherpy.database import SyncDatabase
from tetherpy.jobs import JobDefinition, SyncJobManager
from tetherpy.service import ServiceInstance, SyncServiceInstance

from .framework import django, tasks
from .task_results import TaskCall, failed, result_of, succeeded

run_task = JobDefinition("django task", payload=TaskCall, result=object)


def initialize(service: ServiceInstance) -> None:
    """Set up Django and register the tasks: the callback ``tetherpy.django:initialize`` of a worker.

    The environment variable ``DJANGO_SETTINGS_MODULE`` names the settings, as for ``manage.py``.
    """
    import_module("django").setup()
    service.register_jobs(run_task)


@run_task.handler
def call_task(service: SyncServiceInstance, payload: TaskCall, db: SyncDatabase) -> Any:
    """Call the function of a task in this thread, whose connections of Django are closed when they are too old."""
    close_old_connections = django("db.close_old_connections")
    close_old_connections()
    try:
        return _call(payload, result_of(SyncJobManager(db), service.job))
    finally:
        close_old_connections()


def _call(payload: TaskCall, result: Any) -> Any:
    task = result.task
    sender = task.get_backend().__class__
    context = (tasks("base.TaskContext")(task_result=result),) if task.takes_context else ()
    tasks("signals.task_started").send(sender=sender, task_result=result)
    try:
        value = task.call(*context, *payload.args, **payload.kwargs)
    except BaseException as error:
        tasks("signals.task_finished").send(sender=sender, task_result=failed(result, error))
        raise
    tasks("signals.task_finished").send(sender=sender, task_result=succeeded(result, value))
    return value
