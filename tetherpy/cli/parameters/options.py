"""Options shared by commands."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from .integers import integer_between

DatabaseOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--database",
        "-d",
        metavar="PATH_OR_URL",
        envvar="TETHERPY_DATABASE",
        help="The database; that of the nearest tether.yaml if not given.",
    ),
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]

JobIdsArgument: TypeAlias = Annotated[
    list[int],
    typer.Argument(metavar="ID...", parser=integer_between(1), help="The ids of the jobs.", show_default=False),
]
JobIdArgument: TypeAlias = Annotated[
    int, typer.Argument(metavar="ID", parser=integer_between(1), help="The id of the job.", show_default=False)
]
