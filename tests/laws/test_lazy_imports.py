"""An import loads only the packages that it needs; ``sys.modules`` of a new interpreter shows it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.laws.imports import ROOT

pytestmark = pytest.mark.new_interpreter

RX = "reactivex"
RAW_SQLITE = ("aiosqlite", "sqlite3")
REACTIVE, DATABASE, JOBS, DURABLE, SERVICE = (
    f"tetherpy.{name}" for name in ("reactive", "database", "jobs", "durable", "service")
)
HANDLE = "tetherpy.service.app.background_service"


def loaded_by(statement: str) -> set[str]:
    """Return the modules that a fresh interpreter has after a statement."""
    script = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("statement", "wanted", "unwanted"),
    [
        ("import tetherpy", "tetherpy", (RX, *RAW_SQLITE, "attrs", "asyncio", REACTIVE, DATABASE, JOBS, SERVICE)),
        ("from tetherpy import Provider", REACTIVE, (RX, *RAW_SQLITE, "msgspec", DATABASE, JOBS, SERVICE)),
        ("from tetherpy import TetherError", "tetherpy.errors", (RX, REACTIVE, DATABASE, JOBS, SERVICE)),
        ("from tetherpy import Database", DATABASE, (RX, REACTIVE, JOBS, SERVICE)),
        ("from tetherpy import open_database, DoNotRetry, UniqueJobError", JOBS, (RX, REACTIVE, DURABLE, SERVICE)),
        ("from tetherpy import JobProvider, SqliteStorage", DURABLE, (RX, SERVICE)),
        ("from tetherpy import BackgroundService, ServiceInstance", HANDLE, (RX,)),
        ("import tetherpy.reactive", REACTIVE, (RX, *RAW_SQLITE, "msgspec", DATABASE, JOBS, SERVICE)),
        ("import tetherpy.database", DATABASE, (RX, REACTIVE, JOBS, SERVICE)),
        ("import tetherpy.jobs", JOBS, (RX, REACTIVE, SERVICE)),
        ("import tetherpy.service.__main__", "tetherpy.service.__main__", (RX, REACTIVE, HANDLE, *RAW_SQLITE)),
        ("import tetherpy.service.worker.worker_process", "tetherpy.service.worker.worker", (RX, REACTIVE, HANDLE)),
    ],
)
def test_an_import_loads_only_needed_modules(statement: str, wanted: str, unwanted: tuple[str, ...]) -> None:
    loaded = loaded_by(statement)
    assert wanted in loaded
    assert sorted(set(unwanted) & loaded) == []


def test_help_and_star_imports_work_without_extras() -> None:
    extras = ("psycopg", "psycopg_pool", "procrastinate", "starlette", "fastapi", "textual", "jinja2", "typer", "rich")
    packages = ("tetherpy", DATABASE, JOBS, SERVICE, REACTIVE, DURABLE, "tetherpy.testing", "tetherpy.ui")
    statement = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({extras!r}))\n"
        "import importlib, pydoc\n"
        f"for name in {packages!r}:\n"
        "    assert pydoc.render_doc(importlib.import_module(name))\n"
        "from tetherpy import *"
    )
    assert "tetherpy.jobs.transfer" in loaded_by(statement)


def test_observe_imports_rx() -> None:
    statement = (
        "import sys\n"
        "from tetherpy import Provider, ProviderContainer\n"
        "container = ProviderContainer()\n"
        "value = Provider(lambda ref: 1)\n"
        "container.read(value); container.listen(value, print).close()\n"
        "assert 'reactivex' not in sys.modules\n"
        "container.observe(value)"
    )
    assert RX in loaded_by(statement)
