"""``tetherpy init``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from tetherpy.generator import create_starter

from .output.formats import Form, emit, form_of, tell_next, to_json
from .parameters.options import JsonOption

NEXT = (
    ("python main.py", "run a job"),
    ("python -m pip install pytest pytest-asyncio 'pyright[nodejs]'", "install the tools for tests and types"),
    ("python -m pytest", "run the app's test"),
    ("pyright", "check the types"),
)
"""The next commands in the new folder, with comments."""


def initialize(
    where: Annotated[str, typer.Argument(metavar="DIR", help="The folder; this one if not given.")] = ".",
    json: JsonOption = False,
) -> None:
    """Create a new app that runs: settings, providers, a worker with one handler, a script, a test.

    Existing files are never overwritten.
    """
    if not where:
        raise typer.BadParameter("The name of the folder is empty.", param_hint="DIR")
    folder = Path(where)
    paths = create_starter(folder)
    if form_of(json) is Form.JSON:
        emit(to_json({"folder": str(folder), "files": [str(path) for path in paths]}))
        return
    for path in paths:
        emit(str(path))
    enter = [] if folder == Path() else [f"cd {_typed(folder)}"]
    tell_next([*enter, *(f"{command:<66}# {what}" for command, what in NEXT)])


def _typed(folder: Path) -> str:
    """Quote a folder for a shell command; a leading dash would make it an option."""
    return shlex.quote(f"./{folder}" if str(folder).startswith("-") else str(folder))
