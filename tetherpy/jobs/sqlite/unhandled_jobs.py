"""Jobs that were set aside because no worker that met them has a handler for their key."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from ..storage.text_truncation import truncated
from ..storage.timestamps import to_text
from .statements import sql

COUNTED = 10_000
FAILED_AT_ONCE = 1000

# Keys of other programs need not be UTF-8; surrogates bring their bytes there and back.
_ERRORS = "surrogateescape"


def counts(connection: sqlite3.Connection) -> dict[str, int]:
    """Return how many jobs of each key were set aside; none is counted beyond ten thousand."""
    keys: list[bytes] = [row[0] for row in connection.execute(sql("unhandled_keys"))]
    return {
        key.decode(errors=_ERRORS): connection.execute(
            sql("count_unhandled"), {"key": key, "limit": COUNTED}
        ).fetchone()[0]
        for key in keys
    }


def fail(connection: sqlite3.Connection, job_key: str, error: str, now: datetime) -> int:
    """Make a thousand jobs of a key FAILED that were set aside; return how many these were.

    None does if a registered worker has a handler for the key, which this looks up in the same statement.
    """
    values = {
        "key": job_key.encode(errors=_ERRORS),
        "error": truncated(error),
        "now": to_text(now),
        "limit": FAILED_AT_ONCE,
    }
    return len(connection.execute(sql("fail_unhandled"), values).fetchall())
