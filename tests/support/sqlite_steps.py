"""The cost of work on a SQLite file, counted in instructions of SQLite's virtual machine."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from tetherpy.database import Database


async def steps_of(db: Database, work: Callable[[sqlite3.Connection], object]) -> int:
    """Return the number of instructions of some work at its second run; each run is rolled back."""

    def count(connection: sqlite3.Connection) -> int:
        steps = 0

        def tick() -> int:
            nonlocal steps
            steps += 1
            return 0

        connection.execute("SAVEPOINT counted")
        connection.set_progress_handler(tick, 1)
        try:
            work(connection)
        finally:
            connection.set_progress_handler(None, 1)
            connection.execute("ROLLBACK TO counted")
            connection.execute("RELEASE counted")
        return steps

    await db.run(count)
    return await db.run(count)
