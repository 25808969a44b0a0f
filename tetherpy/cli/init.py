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
    ("python main.py", "run a job, and see it"),
    ("python -m pip install pytest pytest-asyncio 'pyright[nodejs]'", "what checks need"),
    ("python -m pytest", "run the app's test"),
    ("pyright", "check its types"),
)
"""What to type in the new folder, and what for."""


def initialize(
    where: Annotated[str, typer.Argument(metavar="DIR", help="The folder; this one if not given.")] = ".",
    json: JsonOption = False,
) -> None:
    """Make a new app that runs: settings, providers, a worker with one handler, a script, a test.

    Nothing is overwritten.
    """
    if not where:
        raise typer.BadParameter("A folder's name is not empty.", param_hint="DIR")
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
    """Write a folder as it is typed in a shell, where a dash at the beginning would make it an option."""
    return shlex.quote(f"./{folder}" if str(folder).startswith("-") else str(folder))
