"""The app's database: an SQLite file, or the PostgreSQL server that TETHERPY_DATABASE names."""

import os

from tetherpy import FutureProvider, Provider, Ref
from tetherpy.database import Address, SqlDatabase
from tetherpy.jobs import open_database


@Provider
def database_path_provider(ref: Ref) -> Address:
    """Where the database is: the path of a file, or a URL such as postgresql://me@host/app."""
    return os.environ.get("TETHERPY_DATABASE", "app.db")


@FutureProvider
async def database_provider(ref: Ref) -> SqlDatabase:
    """The open database, with the tables of the jobs; closed when the container is."""
    return await ref.enter_async(open_database(ref.watch(database_path_provider)))
