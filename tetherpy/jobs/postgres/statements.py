"""This engine's statements, read when this is imported."""

from __future__ import annotations

from ..storage.sql_files import read_statements

_TEXTS = read_statements(__file__)


def text(name: str) -> str:
    """Return the text of ``sql/<name>.sql``."""
    return _TEXTS[name]


def sql(name: str) -> bytes:
    """Return the statement in ``sql/<name>.sql`` as psycopg takes it."""
    return _TEXTS[name].encode()
