"""The jobs of a database file as they are at one moment, read without an event loop."""

from __future__ import annotations

from pathlib import Path

from tetherpy.database import read_only

from ..model import BackgroundJob
from ..query import JobQuery
from ..storage.row_decoding import JobReader
from .finding import find

_TABLE = "SELECT 1 FROM sqlite_master WHERE name = 'background_service_jobs'"


def read_jobs(path: Path, query: JobQuery) -> list[BackgroundJob]:
    """Return the jobs of an SQLite file that a query asks for; none if the file or its table is not there.

    It opens a connection for this call and blocks for as long: a tool for tests and scripts. In an
    app ask the manager.
    """
    if not path.exists():
        return []
    with read_only(path) as connection:
        if connection.execute(_TABLE).fetchone() is None:
            return []
        return find(connection, JobReader(), query)
