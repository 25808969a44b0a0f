"""Names of Django, whose types are not known here; its tasks are in Django 6, or in the package ``django-tasks``."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any


def django(name: str) -> Any:
    """Return a name of Django, such as ``db.connections``."""
    return _attribute("django", name)


def tasks(name: str) -> Any:
    """Return a name of Django's tasks, such as ``signals.task_started``."""
    return _attribute(_home(), name)


@cache
def _home() -> str:
    return "django.tasks" if find_spec("django.tasks") else "django_tasks"


def _attribute(package: str, name: str) -> Any:
    module, _, attribute = f"{package}.{name}".rpartition(".")
    return getattr(import_module(module), attribute)
