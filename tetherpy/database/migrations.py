"""Schema migrations: numbered changes, each applied once and recorded with its checksum.

A package that ships tables gives its migrations a separate namespace; those of an app are in ``"app"``. Numbers
are compared within a namespace only, and a namespace is checked only by a process that passes migrations of it.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping

import attrs

from .errors import (
    DatabaseArgumentError,
    DuplicateMigrationError,
    MigrationChangedError,
    MigrationFailedError,
    MigrationMissingError,
    MigrationOrderError,
    SchemaNewerError,
)

TABLE = "tetherpy_migrations"
_CREATE = (
    f"CREATE TABLE IF NOT EXISTS {TABLE} (namespace TEXT NOT NULL, version "
    "INTEGER NOT NULL, name TEXT NOT NULL, "
    "checksum TEXT NOT NULL, applied_at TEXT NOT NULL, PRIMARY KEY (namespace, version)) WITHOUT ROWID"
)
_READ = f"SELECT version, name, checksum FROM {TABLE} WHERE namespace = ?"  # noqa: S608  # a constant
_RECORD = f"INSERT INTO {TABLE} VALUES (?, ?, ?, ?, strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now'))"  # noqa: S608  # a constant


def _check_version(_: object, __: object, version: int) -> None:
    if version < 1:
        raise DatabaseArgumentError("Migration.version", version, "it must be at least 1")


@attrs.frozen
class Migration:
    """One change of the schema, of one or more statements. Never edit a released migration: add a new one."""

    version: int = attrs.field(validator=_check_version)
    name: str
    sql: str
    namespace: str = "app"

    @property
    def checksum(self) -> str:
        """Return the hash of the SQL; indentation and blank lines do not change it."""
        lines = (line.strip() for line in self.sql.splitlines())
        return hashlib.sha256("\n".join(line for line in lines if line).encode()).hexdigest()


def by_namespace(migrations: Iterable[Migration]) -> dict[str, list[Migration]]:
    """Group migrations by namespace, sorted by version; raises ``DuplicateMigrationError`` for equal numbers."""
    sets: dict[str, list[Migration]] = {}
    for migration in sorted(migrations, key=lambda migration: migration.version):
        known = sets.setdefault(migration.namespace, [])
        if known and known[-1].version == migration.version:
            raise DuplicateMigrationError(migration.namespace, migration.version, known[-1].name, migration.name)
        known.append(migration)
    return sets


def create(connection: sqlite3.Connection) -> None:
    """Create the table of applied migrations unless it exists."""
    connection.execute(_CREATE)


def pending(connection: sqlite3.Connection, namespace: str, migrations: list[Migration]) -> list[Migration]:
    """Return the migrations to apply; raises ``MigrationError`` if code and record conflict."""
    recorded = {row[0]: (row[1], row[2]) for row in connection.execute(_READ, (namespace,))}
    return find_missing(namespace, migrations, recorded)


def find_missing(
    namespace: str, migrations: list[Migration], recorded: Mapping[int, tuple[str, str]]
) -> list[Migration]:
    """Return the migrations that are not in the record (name and checksum by version).

    Raises ``MigrationError`` if code and record conflict.
    """
    known = {migration.version for migration in migrations}
    newest = max(recorded, default=0)
    newest_known = max(known, default=0)
    if newest > newest_known:
        raise SchemaNewerError(namespace, newest, newest_known)
    for version, (name, _) in recorded.items():
        if version not in known:
            raise MigrationMissingError(namespace, version, name)
    waiting: list[Migration] = []
    for migration in migrations:
        if migration.version in recorded:
            if recorded[migration.version][1] != migration.checksum:
                raise MigrationChangedError(namespace, migration.version, migration.name)
        elif migration.version < newest:
            raise MigrationOrderError(namespace, migration.version, newest)
        else:
            waiting.append(migration)
    return waiting


def apply(connection: sqlite3.Connection, migrations: list[Migration], migration: Migration) -> None:
    """Apply one migration in the open transaction, unless another process has applied it."""
    if migration not in pending(connection, migration.namespace, migrations):
        return
    for statement in statements(migration.sql):
        try:
            connection.execute(statement)
        except sqlite3.Error as error:
            detail = f"{error} in {statement!r}"
            raise MigrationFailedError(migration.namespace, migration.version, migration.name, detail) from error
    connection.execute(_RECORD, (migration.namespace, migration.version, migration.name, migration.checksum))


def statements(script: str) -> Iterator[str]:
    """Split a script into statements; SQLite decides where one ends, because a trigger contains semicolons."""
    statement = ""
    for part in script.split(";"):
        statement += part + ";"
        if sqlite3.complete_statement(statement):
            if statement.strip(" \n\t;"):
                yield statement.strip()
            statement = ""
    if remainder := statement.rstrip().rstrip(";").strip():
        yield remainder
