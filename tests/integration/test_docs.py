"""Run the examples of every page under docs/: write its files, execute its Python, compare the output of commands.

A ```python block that starts with a comment ``# name.py`` is written to that file. Other ```python blocks of a
page run in order in one namespace, with top-level ``await``. The ``$`` lines of a ```console block run in the
page's folder, and their output must equal the lines that follow (``...`` matches any text). In a ```terminal block
they run on a terminal with 100 columns and no colours.
"""

import ast
import asyncio
import contextlib
import inspect
import os
import pty
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.support.doc_pages import FILE, PAGES, ROOT, blocks_of
from tetherpy.service import BackgroundService

KINDS = ("python", "yaml", "console", "terminal")
NEEDS_SERVER = "<!-- This page needs a PostgreSQL server: TETHERPY_DATABASE names it. -->"


def runnable(page):
    return [(kind, text) for kind, text in blocks_of(page) if kind in KINDS]


@pytest.fixture
def folder():
    """Return a folder with a short name that fits into printed output; its processes are stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="page-") as name:
        yield Path(name)
        for files in Path(name).rglob("*-service"):  # the service writes into the folder until it has ended
            asyncio.run(BackgroundService(str(files).removesuffix("-service"), "no:callback").stop(timeout=0))


@pytest.fixture(autouse=True)
def page_modules(folder, page):
    """Let a page import its own modules, and forget them afterwards."""
    written = {
        named[1].partition("/")[0].removesuffix(".py") for _, text in runnable(page) if (named := FILE.match(text))
    }
    taken = {"providers", *written}
    hidden = {name: sys.modules.pop(name) for name in [*sys.modules] if name.partition(".")[0] in taken}
    yield
    for name in modules_below(folder):
        del sys.modules[name]
    sys.modules.update(hidden)


def modules_below(folder):
    return [
        name
        for name, module in sys.modules.items()
        if (file := getattr(module, "__file__", None)) and Path(file).is_relative_to(folder)
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT / "docs")))
def test_examples_of_the_page_run(page, folder, monkeypatch, request):
    blocks = runnable(page)
    if NEEDS_SERVER in page.read_text():
        monkeypatch.setenv("TETHERPY_DATABASE", request.getfixturevalue("postgres_url"))
        monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    if "tetherpy.ui.web" in page.read_text():
        # On a slow machine, too, no page of the dashboard starts as loading.
        monkeypatch.setattr("tetherpy.ui.web.event_stream.FIRST_PAINT_SECONDS", 25.0)
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    asyncio.run(run(page, blocks, folder))


async def run(page, blocks, folder):
    namespace = {"__name__": f"docs_{page.stem.replace('-', '_')}"}
    for kind, text in blocks:
        named = FILE.match(text)
        if named:
            target = folder / named.group(1)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        elif kind == "python":
            code = compile(text, str(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            result = eval(code, namespace)
            if inspect.iscoroutine(result):
                await result
        elif kind == "console":
            run_console(text, folder, into_a_pipe)
        elif kind == "terminal":
            run_console(text, folder, on_a_terminal)


def run_console(text, folder, run):
    for command in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        line, _, expected = command.partition("\n")
        argv = [sys.executable if word == "python" else word for word in shlex.split(line)]
        if argv[0] == "pytest":
            argv = [sys.executable, "-m", *argv, "-p", "no:cacheprovider"]
        if argv[0] == "tetherpy":
            argv = [sys.executable, "-m", "tetherpy.cli", *argv[1:]]
        printed = run(argv, folder)
        pattern = re.escape(expected.strip()).replace(re.escape("..."), ".*")
        assert re.fullmatch(pattern, printed.strip(), re.DOTALL), f"$ {line}\n{printed}"


def into_a_pipe(argv, folder):
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


def on_a_terminal(argv, folder):
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "dumb", "COLUMNS": "100", "LINES": "40"}
    process = subprocess.Popen(argv, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    printed = bytearray()
    with (
        contextlib.closing(os.fdopen(ours, "rb", buffering=0)) as screen,
        contextlib.suppress(OSError),
    ):  # EIO: it ended
        while part := screen.read(65536):
            printed += part
    process.wait(timeout=60)
    return "\n".join(line.rstrip() for line in printed.decode().splitlines())
