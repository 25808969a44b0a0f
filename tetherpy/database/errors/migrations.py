"""Errors about migrations."""

from .base import DatabaseError


class MigrationError(DatabaseError):
    """Base class of conflicts between the migrations in the code and those recorded in the database."""

    def __init__(self, namespace: str, version: int, what: str) -> None:
        super().__init__(f"migration {version} of {namespace!r} {what}")
        self.namespace = namespace
        self.version = version


class DuplicateMigrationError(MigrationError, ValueError):
    """Raised when two migrations of a namespace have the same number."""

    def __init__(self, namespace: str, version: int, first: str, second: str) -> None:
        super().__init__(
            namespace, version, f"exists twice: {first!r} and {second!r}; renumber the one that is not released"
        )
        self.names = (first, second)


class MigrationChangedError(MigrationError):
    """A migration was edited after it was applied."""

    def __init__(self, namespace: str, version: int, name: str) -> None:
        super().__init__(
            namespace,
            version,
            f"({name}) differs from the one that was applied to this database: its SQL was edited; "
            "restore it and put the change into a new migration",
        )
        self.name = name


class MigrationMissingError(MigrationError):
    """A migration was applied to the database and is missing in the code, which has later ones."""

    def __init__(self, namespace: str, version: int, name: str) -> None:
        super().__init__(
            namespace,
            version,
            f"({name}) was applied to this database but is missing from the code; put it back",
        )
        self.name = name


class MigrationOrderError(MigrationError):
    """The code has a migration that was never applied, while later ones were."""

    def __init__(self, namespace: str, version: int, newest: int) -> None:
        super().__init__(
            namespace,
            version,
            f"was never applied, but {newest} already is; give it a number above {newest}",
        )
        self.newest = newest


class SchemaNewerError(MigrationError):
    """Newer code has migrated the database."""

    def __init__(self, namespace: str, version: int, newest_known: int) -> None:
        super().__init__(
            namespace,
            version,
            f"was applied by newer code (this code knows migrations up to {newest_known}); "
            "run the newer code, or restore a backup from before the migration",
        )
        self.newest_known = newest_known


class MigrationFailedError(MigrationError):
    """The SQL of a migration failed; the migration was rolled back."""

    def __init__(self, namespace: str, version: int, name: str, detail: str) -> None:
        super().__init__(
            namespace, version, f"({name}) failed and was rolled back; earlier migrations stay applied: {detail}"
        )
        self.name = name
        self.detail = detail
