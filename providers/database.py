"""The app's SQLite database."""

from pathlib import Path

from tetherpy import FutureProvider, Provider, Ref
from tetherpy.database import Database
from tetherpy.jobs import JOB_MIGRATIONS


@Provider
def database_path_provider(ref: Ref) -> Path:
    """Where the database file is."""
    return Path("app.db")


@FutureProvider
async def database_provider(ref: Ref) -> Database:
    """The open database, with the tables of the jobs; closed when the container is."""
    return await ref.enter_async(Database.open(ref.watch(database_path_provider), migrations=JOB_MIGRATIONS))
