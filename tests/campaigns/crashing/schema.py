"""The tables to which the campaign's jobs write; the audit explains their rows."""

from tetherpy import jobs
from tetherpy.database import Database, Migration, is_postgres

TABLES = """
CREATE TABLE effects (id {number}, job_id INTEGER, attempt INTEGER, worker TEXT, exactly_once INTEGER);
CREATE TABLE orders (token TEXT PRIMARY KEY);
CREATE TABLE ballast (id INTEGER PRIMARY KEY, data {bytes});
"""
SQLITE = {"number": "INTEGER PRIMARY KEY", "bytes": "BLOB"}
POSTGRES = {"number": "bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY", "bytes": "bytea"}
PATIENCE_SECONDS = 60.0
"""Longer than any process is kept stopped while it may hold the write lock."""


def open_database(traces):
    address = traces.database
    if is_postgres(address):
        return jobs.open_database(address, migrations=[campaign(POSTGRES)])
    migrations = (*jobs.JOB_MIGRATIONS, campaign(SQLITE))
    return Database.open(address, migrations=migrations, busy_timeout=PATIENCE_SECONDS)


def campaign(types):
    sql = TABLES.format(**types)
    return Migration(version=1, name="effects, orders, ballast", namespace="campaign", sql=sql)
