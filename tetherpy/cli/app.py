"""The command line as a whole: every group of commands is joined here."""

from __future__ import annotations

import typer

app = typer.Typer(name="tetherpy", no_args_is_help=True, help="Reactive providers and durable background jobs.")


@app.callback()
def tetherpy() -> None:
    """Reactive providers and durable background jobs."""


def main() -> None:
    """Run the command line; the exit code is 0, 1 (it failed) or 2 (usage)."""
    app()
