"""What the campaign's jobs do to the world, as far as it is in the database: rows that the audit explains."""

from tetherpy.database import Database, Migration
from tetherpy.jobs import JOB_MIGRATIONS

CAMPAIGN = Migration(
    version=1,
    name="effects, orders, ballast",
    namespace="campaign",
    sql="""
    CREATE TABLE effects (id INTEGER PRIMARY KEY, job_id INTEGER, attempt INTEGER, worker TEXT, exactly_once INTEGER);
    CREATE TABLE orders (token TEXT PRIMARY KEY);
    CREATE TABLE ballast (id INTEGER PRIMARY KEY, data BLOB);
    """,
)
PATIENCE_SECONDS = 60.0
"""Longer than any process is kept stopped while it may hold the write lock."""


def open_database(traces):
    return Database.open(traces.database, migrations=(*JOB_MIGRATIONS, CAMPAIGN), busy_timeout=PATIENCE_SECONDS)
