"""Limits of each engine: declared, listed in the reference, and an error at the call."""

import re
from pathlib import Path

import pytest

from tetherpy.jobs import (
    POSTGRES_CAPABILITIES,
    SQLITE_CAPABILITIES,
    EngineLimitError,
    NewJob,
)

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "engines.md"


def words(engine):
    """Return the capabilities of an engine in the words of the page's table."""
    yes_or_no = {True: "yes", False: "no"}
    return [
        engine.needs,
        "any that reach the server" if engine.several_machines else "one; the file is on its disk",
        "one per machine and database" if engine.several_machines else "one per database",
        engine.enqueue_in,
        "yes" if engine.creates_tables_in_transaction else "no: `JobTablesMissingError`",
        engine.add_with_sql,
        "yes" if engine.watches_sql else "no: streams of jobs only",
        "any" if engine.name_characters is None else f"{engine.name_characters} characters",
        f"{engine.priority_bits} bits",
        yes_or_no[engine.nul_in_names],
        engine.dead_worker,
    ]


def test_the_table_of_the_reference_matches_the_declarations():
    section = PAGE.read_text().partition("## What each can do")[2].partition("## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in re.findall(r"^\|.*\|$", section, re.MULTILINE)
    ]
    (_, *engines), _, *told = rows
    assert engines == [SQLITE_CAPABILITIES.engine, POSTGRES_CAPABILITIES.engine]
    for column, engine in enumerate((SQLITE_CAPABILITIES, POSTGRES_CAPABILITIES), start=1):
        assert [row[column] for row in told] == words(engine)


TOO_MUCH = {
    "priority": NewJob(job_key="k", priority=2**31),
    "job key": NewJob(job_key="k" * 129),
    "queue": NewJob(job_key="k", queue="q" * 129),
    "NUL": NewJob(job_key="k\0"),
    "unique key": NewJob(job_key="k", unique_key="u\0"),
}


@pytest.mark.parametrize("what", TOO_MUCH)
def test_a_value_beyond_a_limit_is_an_error_that_names_it(what):
    SQLITE_CAPABILITIES.check(TOO_MUCH[what])
    with pytest.raises(EngineLimitError, match=what) as raised:
        POSTGRES_CAPABILITIES.check(TOO_MUCH[what])
    assert raised.value.engine == "PostgreSQL"


def test_a_value_at_a_limit_is_accepted():
    POSTGRES_CAPABILITIES.check(NewJob(job_key="k" * 128, queue="q" * 128, priority=-(2**31), unique_key="u" * 1000))
