"""This engine's statements, read when this is imported."""

from __future__ import annotations

from ..storage.sql_files import read_statements

_TEXTS = read_statements(__file__)


def sql(name: str) -> str:
    """Return the text of the statement in ``sql/<name>.sql``."""
    return _TEXTS[name]
