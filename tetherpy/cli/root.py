"""The root command ``tetherpy``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer
from typer.main import get_command

from tetherpy.distribution import installed_version

from .lazy_commands import LazyGroup, fill


def root(commands: Mapping[str, tuple[str, str]]) -> LazyGroup:
    """Return the root group, which also installs shell completion."""
    app = typer.Typer(cls=LazyGroup, rich_markup_mode=None)
    app.callback()(tetherpy)
    group = get_command(app)
    assert isinstance(group, LazyGroup)  # because of cls=
    return fill(group, __package__ or "", commands)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(installed_version())
        raise typer.Exit


def tetherpy(
    _: Annotated[
        bool,
        typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version),
    ] = False,
) -> None:
    """Reactive providers and durable background jobs.

    Most commands need a database: --database, else $TETHERPY_DATABASE, else that of the nearest tether.yaml.
    """
