"""Errors about migrations."""

from tetherpy.errors import message

from .base import DatabaseError


@message("migration {version} of {namespace!r} is in conflict with the migrations recorded in the database")
class MigrationError(DatabaseError):
    """Base class of conflicts between the migrations in the code and those recorded in the database."""

    namespace: str
    version: int


@message(
    "migration {version} of {namespace!r} exists twice: {first!r} and {second!r}; renumber the one that is not released"
)
class DuplicateMigrationError(MigrationError, ValueError):
    """Raised when two migrations of a namespace have the same number."""

    first: str
    second: str

    @property
    def names(self) -> tuple[str, str]:
        """Return the names of both migrations."""
        return self.first, self.second


@message(
    "migration {version} of {namespace!r} ({name}) differs from the one that was applied to this database: its SQL was "
    "edited; restore it and put the change into a new migration"
)
class MigrationChangedError(MigrationError):
    """A migration was edited after it was applied."""

    name: str


@message(
    "migration {version} of {namespace!r} ({name}) was applied to this database but is missing from the code; put it "
    "back"
)
class MigrationMissingError(MigrationError):
    """A migration was applied to the database and is missing in the code, which has later ones."""

    name: str


@message(
    "migration {version} of {namespace!r} was never applied, but {newest} already is; give it a number above {newest}"
)
class MigrationOrderError(MigrationError):
    """The code has a migration that was never applied, while later ones were."""

    newest: int


@message(
    "migration {version} of {namespace!r} was applied by newer code (this code knows migrations up to {newest_known}); "
    "run the newer code, or restore a backup from before the migration"
)
class SchemaNewerError(MigrationError):
    """Newer code has migrated the database."""

    newest_known: int


@message(
    "migration {version} of {namespace!r} ({name}) failed and was rolled back; earlier migrations stay applied: "
    "{detail}"
)
class MigrationFailedError(MigrationError):
    """The SQL of a migration failed; the migration was rolled back."""

    name: str
    detail: str
