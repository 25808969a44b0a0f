"""Django's tasks as jobs: a backend for ``TASKS``, and the callback of its workers (extra: ``django``)."""

from tetherpy.facades import facade_dir

from .backend import TetherBackend
from .task_job import initialize

__all__ = ["TetherBackend", "initialize"]

__dir__ = facade_dir(__all__)
