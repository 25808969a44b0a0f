"""``tetherpy generate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tetherpy.generator import (
    SETTINGS_FILE,
    Change,
    FilesDifferError,
    FilesEditedError,
    NothingToGenerateError,
    Plan,
    providers_package,
    read_settings,
)

from .output.columns import Column, View
from .output.formats import form_of, print_all, remark
from .output.terminal_text import harmless
from .parameters.options import JsonOption

CHANGES = View[Change](
    (
        Column("file", lambda change: str(change.path)),
        Column("change", lambda change: change.kind),
    ),
    lambda change: {"file": str(change.path), "change": change.kind},
)
"""A generated file as one row."""


def generate(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit with 1 if a file differs.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Also overwrite edited files.")] = False,
    config: Annotated[
        Path,
        typer.Option("--config", "-c", metavar="FILE", help="The settings; the package is written next to this file."),
    ] = Path(SETTINGS_FILE),
    json: JsonOption = False,
) -> None:
    """Generate providers from tether.yaml.

    An edited file is never overwritten without --force: the difference is shown instead.
    """
    services = read_settings(config).background_services
    if not services.enabled:
        raise NothingToGenerateError(config)
    plan = Plan.make(config.parent, providers_package(services))
    if check:
        print_all(form_of(json), CHANGES, plan.differing)
        _show_differences(plan.differing)
        if plan.differing:
            raise FilesDifferError([change.path for change in plan.differing], config)
        return
    try:
        plan.apply(force=force)
    except FilesEditedError:
        _show_differences(plan.losing_work)
        raise
    print_all(form_of(json), CHANGES, plan.changes)
    if not plan.differing:
        remark("All files are up to date.")


def _show_differences(changes: tuple[Change, ...]) -> None:
    for change in changes:
        for line in change.diff.splitlines():
            typer.echo(harmless(line), err=True)
