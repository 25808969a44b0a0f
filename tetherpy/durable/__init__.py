"""Providers whose value or state outlives the process: ``JobProvider`` and ``SqliteStorage``."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .job_provider import JobProvider, JobProviderError, JobProviderFamily
    from .sqlite_storage import STORAGE_MIGRATIONS, SqliteStorage

__all__ = ["STORAGE_MIGRATIONS", "JobProvider", "JobProviderError", "JobProviderFamily", "SqliteStorage"]

_MODULES = {"STORAGE_MIGRATIONS": "sqlite_storage", "SqliteStorage": "sqlite_storage"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f".{_MODULES.get(name, 'job_provider')}", __name__), name)
    globals()[name] = value
    return value
