"""The tables: Procrastinate's, made by its own scripts, and the engine's."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from psycopg.rows import tuple_row

from tetherpy.database import Migration, PostgresDatabase, PostgresMissingError, PostgresTransaction, SchemaNewerError

from ..errors import ForeignQueueError, SchemaMissingError
from ..storage.sql_files import read_schema
from .statements import sql

QUEUE = "procrastinate"
JOBS = "tetherpy.jobs"

_SCHEMA = read_schema(
    __file__,
    "tables",
    "status_changes",
    "enqueueing",
    "choosing",
    "acknowledging",
    "claiming",
    "unhandled_jobs",
)
POSTGRES_JOB_MIGRATIONS = (Migration(version=1, name="records, attempts, workers", sql=_SCHEMA, namespace=JOBS),)
"""The tables next to Procrastinate's; ``PostgresJobEngine.prepare`` applies them after those."""
_VERSIONS = (
    "SELECT namespace, max(version) AS version FROM tetherpy_migrations "  # noqa: S608  # constants
    f"WHERE namespace IN ('{QUEUE}', '{JOBS}') GROUP BY namespace"
)


async def prepare(db: PostgresDatabase) -> None:
    """Create or update the tables in one transaction; any number of processes may do so at the same time.

    Raises ``SchemaNewerError`` if newer code made them, ``ForeignQueueError`` if they are another program's
    Procrastinate, ``SchemaMissingError`` if no schema is selected, ``DatabaseLockedError`` as
    ``PostgresDatabase.change_schema`` does.
    """
    row = await db.get("SELECT current_schema() AS name")
    if row["name"] is None:
        raise SchemaMissingError(db.name)

    async def change(transaction: PostgresTransaction) -> None:
        await _prepare_queue(db.name, transaction)
        await transaction.migrate(POSTGRES_JOB_MIGRATIONS)

    await db.change_schema(change)


async def is_prepared(db: PostgresDatabase) -> bool:
    """Tell, without a lock, whether the tables exist in the version of this code and this Procrastinate."""
    row = await db.get("SELECT to_regclass('tetherpy_migrations') IS NOT NULL AS there")
    if not row["there"]:
        return False
    rows = await db.get_all(_VERSIONS)
    found: dict[str, int] = {row["namespace"]: row["version"] for row in rows}
    return found == _known()


async def refuse_newer(db: PostgresDatabase) -> None:
    """Raise ``SchemaNewerError`` if newer code has changed the tables since this process prepared them."""
    known = _known()
    async with db.own_connection() as connection, connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(_VERSIONS.encode())
        for namespace, version in await cursor.fetchall():
            if version > known[namespace]:
                raise SchemaNewerError(namespace, version, known[namespace])


def _known() -> dict[str, int]:
    return {QUEUE: _steps()[-1].version, JOBS: POSTGRES_JOB_MIGRATIONS[-1].version}


async def _prepare_queue(database: str, transaction: PostgresTransaction) -> None:
    row = await transaction.get(
        "SELECT current_schema() AS schema, to_regclass('procrastinate_jobs') IS NOT NULL AS there, "
        "(SELECT max(version) FROM tetherpy_migrations WHERE namespace = ?) AS version",
        (QUEUE,),
    )
    steps = _steps()
    newest = steps[-1].version
    if row["version"] is None:
        if row["there"]:
            raise ForeignQueueError(database, row["schema"])
        # Imported here: a process whose tables exist starts without it.
        from procrastinate.schema import SchemaManager

        await transaction.connection.execute(_in_ascii(SchemaManager.get_schema()))
        await transaction.connection.execute(sql("quiet"))
        await _record(transaction, steps[-1])
        return
    if row["version"] > newest:
        raise SchemaNewerError(QUEUE, row["version"], newest)
    for step in steps:
        if step.version > row["version"]:
            await transaction.connection.execute(_in_ascii(step.sql))
            await transaction.connection.execute(sql("quiet"))
            await _record(transaction, step)


def _in_ascii(script: str) -> bytes:
    """Return a script in ASCII, for a database of any encoding; only comments contain other characters."""
    return script.encode("ascii", "replace")


async def _record(transaction: PostgresTransaction, step: Migration) -> None:
    await transaction.execute(
        "INSERT INTO tetherpy_migrations (namespace, version, name, checksum) VALUES (?, ?, ?, ?)",
        (step.namespace, step.version, step.name, step.checksum),
    )


@cache
def _steps() -> list[Migration]:
    """Return Procrastinate's migrations; "03.04.00_01_pre_x.sql" has the number 3040001."""
    package = find_spec("procrastinate")
    if package is None or package.origin is None:
        raise PostgresMissingError
    files = sorted((Path(package.origin).parent / "sql" / "migrations").glob("*.sql"))
    return [
        Migration(
            version=int(file.name[:11].replace(".", "").replace("_", "")),
            name=file.stem,
            sql=file.read_text(encoding="utf-8"),
            namespace=QUEUE,
        )
        for file in files
    ]
