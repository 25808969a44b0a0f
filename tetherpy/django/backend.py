"""The backend for Django's tasks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tetherpy.jobs import SyncJobManager

from .addresses import address_of
from .framework import django, tasks
from .task_job import run_task
from .task_results import TaskCall, new_result, result_of

_Base: Any = tasks("backends.base.BaseTaskBackend")


class TetherBackend(_Base):  # type: ignore[misc]  # pyright: ignore[reportUntypedBaseClass]
    """Run the tasks of Django as jobs in a database of Django.

    A task that is enqueued in ``transaction.atomic()`` is part of that transaction. ``OPTIONS`` may have
    ``"database"``, the alias of the database (``"default"`` without it), and ``"max_attempts"``, how often a task is
    tried.
    """

    supports_defer = True
    supports_async_task = True
    supports_get_result = True
    supports_priority = True

    def __init__(self, alias: str, params: dict[str, Any]) -> None:
        super().__init__(alias, params)  # pyright: ignore[reportUnknownMemberType]
        self._database: str = self.options.get("database", "default")
        self._max_attempts: int = self.options.get("max_attempts", 3)
        self._managers: dict[str, SyncJobManager] = {}

    @property
    def jobs(self) -> SyncJobManager:
        """Return the manager of the jobs."""
        address = address_of(django("db.connections")[self._database].settings_dict)
        return self._managers.setdefault(address, SyncJobManager.open(address))

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
        """Store the job of a task; raises the errors of ``SyncJobManager.enqueue``."""
        self.validate_task(task)
        call = TaskCall(task.module_path, self.alias, list(args), dict(kwargs))
        result = new_result(task, call)
        connection = django("db.connections")[self._database]
        job_id = self.jobs.enqueue(
            run_task,
            TaskCall(call.task, call.backend, result.args, result.kwargs),
            priority=task.priority,
            queue=task.queue_name,
            run_at=_aware(task.run_after),
            max_attempts=self._max_attempts,
            meta={"task": call.task},
            transaction=connection.connection if connection.in_atomic_block else None,
        )
        result = replace(result, id=str(job_id))
        tasks("signals.task_enqueued").send(sender=type(self), task_result=result)
        return result

    def get_result(self, result_id: str) -> Any:
        """Return the result of a task; raises ``TaskResultDoesNotExist``."""
        job = self.jobs.get_job_by_id(int(result_id)) if result_id.isdecimal() else None
        if job is None or job.job_key != run_task.job_key:
            raise tasks("exceptions.TaskResultDoesNotExist")(result_id)
        return result_of(self.jobs, job)


def _aware(moment: Any) -> Any:
    timezone = django("utils.timezone")
    return timezone.make_aware(moment) if moment is not None and timezone.is_naive(moment) else moment
