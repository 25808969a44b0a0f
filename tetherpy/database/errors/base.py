"""The base classes of the errors of the database package."""

from tetherpy.errors import ArgumentError, TetherError


class DatabaseError(TetherError):
    """Base class of the errors of :mod:`tetherpy.database`.

    They report problems of the file, the server, locks, the disk and the use of the API. Errors of a statement (a
    violated constraint, a mistake in the SQL) stay exceptions of the driver: ``sqlite3`` or ``psycopg``.
    """


class DatabaseArgumentError(DatabaseError, ArgumentError):
    """Raised when a parameter has a wrong type or is out of its bounds, or a statement and its values do not fit."""
