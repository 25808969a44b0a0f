"""Tasks of Django that are enqueued by a program and run by a worker process, on both databases."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict

pytestmark = [pytest.mark.slow, pytest.mark.new_interpreter]

SETTINGS = """
import json, os

DATABASES = {"default": json.loads(os.environ["DATABASE_OF_THE_TEST"])}
INSTALLED_APPS = []
USE_TZ = True
TASKS = {"default": {"BACKEND": "tetherpy.django.TetherBackend", "QUEUES": [], "OPTIONS": {"max_attempts": 1}}}
"""

SHOP_TASKS = """
import logging

from django.db import connection
from django_tasks import task
from django_tasks.signals import task_finished


class OutOfTeaError(Exception):
    pass


@task
def note(text, *, times=1):
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO notes VALUES (%s)", [text * times])
    return [text, times]


@task(takes_context=True)
async def describe(context, text):
    return [context.attempt, context.task_result.status, text]


@task
def fail(text):
    raise OutOfTeaError(text)


def on_finished(sender, task_result, **_):
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO notes VALUES (%s)", [f"{task_result.task.name} {task_result.status}"])


task_finished.connect(on_finished)
"""

PROGRAM = """
import asyncio, contextlib, datetime
import django

django.setup()
from django.db import connection, transaction
from django_tasks import TaskResultStatus, default_task_backend, task_backends
from django_tasks.base import TaskError
from django_tasks.exceptions import TaskResultDoesNotExist
from django_tasks.signals import task_enqueued
from shop_tasks import describe, fail, note

from tetherpy import BackgroundService, PayloadEncodeError
from tetherpy.django.addresses import address_of

jobs = default_task_backend.jobs
jobs.get_counts()
with connection.cursor() as cursor:
    cursor.execute("CREATE TABLE notes (text TEXT)")
announced = []
task_enqueued.connect(lambda task_result, **_: announced.append(task_result.id), weak=False)

with transaction.atomic():
    first = note.enqueue("tea", times=2)
    assert jobs.get_counts().pending == 0
with contextlib.suppress(ZeroDivisionError), transaction.atomic():
    note.enqueue("lost")
    raise ZeroDivisionError
later = note.using(run_after=django.utils.timezone.now() + datetime.timedelta(days=1), priority=7).enqueue("later")
described, failed = asyncio.run(describe.aenqueue("async")), fail.enqueue("none left")
try:
    note.enqueue(object())
except TypeError:
    pass
assert jobs.get_counts().pending == 4, jobs.get_counts()
assert announced[0] == first.id and len(announced) == 5
assert first.status is TaskResultStatus.READY and first.args == ["tea"] and first.kwargs == {"times": 2}

asyncio.run(BackgroundService(address_of(connection.settings_dict), "tetherpy.django:initialize").start())
for result in (first, described, failed):
    jobs.wait_for(int(result.id), timeout=60)
    result.refresh()
assert first.return_value == ["tea", 2], first
assert first.attempts == 1 and first.enqueued_at <= first.started_at <= first.finished_at
assert described.return_value == [1, "RUNNING", "async"], described.return_value
assert failed.status is TaskResultStatus.FAILED and failed.is_finished
(error,) = failed.errors
import shop_tasks
assert error.exception_class is shop_tasks.OutOfTeaError, error
assert "none left" in error.traceback
later.refresh()
assert later.status is TaskResultStatus.READY and later.started_at is None
assert note.get_result(first.id).return_value == ["tea", 2]
assert jobs.get_job_by_id(int(later.id)).priority == 7
for missing in ("999", "not a number"):
    try:
        default_task_backend.get_result(missing)
    except TaskResultDoesNotExist:
        continue
    raise AssertionError(missing)
with connection.cursor() as cursor:
    cursor.execute("SELECT text FROM notes ORDER BY text")
    assert [text for text, in cursor.fetchall()] == ["describe SUCCESSFUL", "fail FAILED", "note SUCCESSFUL", "teatea"]
asyncio.run(BackgroundService(address_of(connection.settings_dict), "tetherpy.django:initialize").stop())
"""


def django_settings(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    if request.param == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "site.sqlite3")}
    parts = conninfo_to_dict(request.getfixturevalue("postgres_url"))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts["dbname"],
        "USER": parts.get("user"),
        "PASSWORD": parts.get("password") or "p@ss/word",
        "HOST": parts["host"],
        "PORT": parts.get("port"),
        "OPTIONS": {"connect_timeout": 10, "server_side_binding": False},
    }


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    return django_settings(request, tmp_path)


def test_tasks_are_enqueued_in_the_transaction_run_by_a_worker_and_described(
    database: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "settings.py").write_text(SETTINGS)
    (tmp_path / "shop_tasks.py").write_text(SHOP_TASKS)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "settings",
        "DATABASE_OF_THE_TEST": json.dumps(database),
        "PYTHONPATH": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stderr
