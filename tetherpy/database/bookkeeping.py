"""The two tables of our own that every database has."""

from . import changelog, migrations
from .connection import TrackedConnection
from .footprint import CHANGES_TABLE


def is_there(connection: TrackedConnection) -> bool:
    """Tell whether they exist, without taking the write lock."""
    sql = "SELECT name FROM sqlite_schema WHERE name IN (?, ?)"
    found = {row[0] for row in connection.execute(sql, (CHANGES_TABLE, migrations.TABLE))}
    return found == {CHANGES_TABLE, migrations.TABLE}


def create(connection: TrackedConnection) -> None:
    """Create those that do not exist."""
    changelog.create(connection)
    migrations.create(connection)
