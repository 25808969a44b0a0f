"""The two internal tables of every database: table versions and applied migrations."""

from . import migrations
from .sqlite.changes import table_versions
from .sqlite.changes.table_access import CHANGES_TABLE
from .sqlite.connection import TrackedConnection


def is_there(connection: TrackedConnection) -> bool:
    """Tell whether they exist, without taking the write lock."""
    sql = "SELECT name FROM sqlite_schema WHERE name IN (?, ?)"
    found = {row[0] for row in connection.execute(sql, (CHANGES_TABLE, migrations.TABLE))}
    return found == {CHANGES_TABLE, migrations.TABLE}


def create(connection: TrackedConnection) -> None:
    """Create those that do not exist."""
    table_versions.create(connection)
    migrations.create(connection)
