"""Providers whose value or state outlives the process: ``JobProvider`` and ``SqliteStorage``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tetherpy.facades import lazy_facade

if TYPE_CHECKING:
    from .errors import JobProviderError
    from .job_provider import JobProvider, JobProviderFamily
    from .manager_source import ManagerSource, opened_manager
    from .sqlite_storage import STORAGE_MIGRATIONS, SqliteStorage

__all__ = [
    "STORAGE_MIGRATIONS",
    "JobProvider",
    "JobProviderError",
    "JobProviderFamily",
    "ManagerSource",
    "SqliteStorage",
    "opened_manager",
]

_MODULES = {
    "JobProviderError": "errors",
    **dict.fromkeys(("ManagerSource", "opened_manager"), "manager_source"),
    **dict.fromkeys(("STORAGE_MIGRATIONS", "SqliteStorage"), "sqlite_storage"),
}

if not TYPE_CHECKING:  # type checkers report the names that are not public
    __getattr__, __dir__ = lazy_facade(__name__, __all__, _MODULES, others="job_provider")
