"""``tetherpy migrate``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Annotated, cast

import attrs
import typer

from tetherpy.database import Migration, applied_migrations, is_url
from tetherpy.jobs import JOB_MIGRATIONS, open_database

from .errors import MigrationsUnusableError
from .output.columns import Column, View
from .output.formats import form_of, print_all
from .parameters.database_location import existing_file, find_database
from .parameters.durations import ago, instant
from .parameters.options import DatabaseOption, JsonOption
from .parameters.project import find_project


@attrs.frozen
class Step:
    """One migration; ``applied_at`` is None while it is not applied."""

    namespace: str
    version: int
    name: str
    applied_at: datetime | None


STEPS = View[Step](
    (
        Column("namespace", lambda step: step.namespace),
        Column("version", lambda step: str(step.version)),
        Column(
            "applied",
            lambda step: instant(step.applied_at) or "",
            lambda step: ago(step.applied_at) or "not yet",
            lambda step: "green" if step.applied_at else "yellow",
        ),
        Column("name", lambda step: step.name),
    ),
    lambda step: {
        "namespace": step.namespace,
        "version": step.version,
        "name": step.name,
        "applied_at": instant(step.applied_at),
    },
)
"""A migration as one row."""


async def migrate(
    only_list: Annotated[bool, typer.Option("--list", help="List the migrations without applying any.")] = False,
    also: Annotated[
        list[str],
        typer.Option(
            "--migrations",
            metavar="MODULE:NAME",
            help="Migrations of the app; may be repeated. Those of tether.yaml if not given.",
        ),
    ] = [],  # noqa: B006 - typer reads it, and does not change it
    database: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Create or upgrade the tables of the jobs, and list all migrations.

    The database is created if it is missing.
    """
    own = [step for place in also or _named_in_settings() for step in _migrations_at(place)]
    if only_list:
        address = existing_file(database)
    else:
        address = find_database(database)
        async with open_database(address, migrations=own):
            pass
    print_all(form_of(json), STEPS, await _steps(address, own))


async def _steps(address: str, own: Sequence[Migration]) -> list[Step]:
    """Return the applied migrations, then the others."""
    applied = await _applied_on_server(address) if is_url(address) else _applied_in_file(address)
    known = own if is_url(address) else [*JOB_MIGRATIONS, *own]
    there = {(step.namespace, step.version) for step in applied}
    return [
        *applied,
        *(
            Step(step.namespace, step.version, step.name, None)
            for step in known
            if (step.namespace, step.version) not in there
        ),
    ]


def _applied_in_file(path: str) -> list[Step]:
    return [Step(step.namespace, step.version, step.name, step.applied_at) for step in applied_migrations(path)]


async def _applied_on_server(url: str) -> list[Step]:
    async with open_database(url) as db:
        rows = await db.get_all(
            "SELECT namespace, version, name, applied_at FROM tetherpy_migrations ORDER BY namespace, version"
        )
    return [Step(row["namespace"], row["version"], row["name"], row["applied_at"]) for row in rows]


def _named_in_settings() -> list[str]:
    project = find_project()
    named = None if project is None else project.service.migrations
    return [] if named is None else [named]


def _migrations_at(place: str) -> Sequence[Migration]:
    """Import the migrations of an app; raises ``MigrationsUnusableError`` without a list of migrations."""
    module, colon, name = place.partition(":")
    if not (module and colon and name):
        raise MigrationsUnusableError(place, "it is not of the form module:name")
    project = find_project()
    sys.path.insert(0, str(Path.cwd() if project is None else project.folder))
    try:
        found: object = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise MigrationsUnusableError(place, str(error)) from error
    steps = cast("Sequence[object]", found) if isinstance(found, Sequence) else ()
    migrations = [step for step in steps if isinstance(step, Migration)]
    if not migrations or len(migrations) < len(steps):
        raise MigrationsUnusableError(place, "it is not a list of Migration")
    return migrations
