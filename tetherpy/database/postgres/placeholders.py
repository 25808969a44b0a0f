"""The placeholders of SQLite's statements, as PostgreSQL's."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from ..errors import DatabaseArgumentError
from ..sqlite.connection import Parameters

_TOKEN = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | --[^\n]* | /\*.*?\*/ | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ | ::
    | :(?P<name>[A-Za-z_]\w*) | (?P<mark>\?)""",
    re.DOTALL | re.VERBOSE,
)


@lru_cache(maxsize=512)
def numbered(sql: str) -> tuple[bytes, tuple[str, ...] | None]:
    """Write ``?`` and ``:name`` as ``$1``, ``$2``...; return with it the names in the order of their numbers.

    What is quoted or commented stays. The names are None for a statement that has none. PostgreSQL's
    operators that are spelled with a question mark have functions that do the same, such as ``jsonb_exists``.
    """
    names: list[str] = []
    marks = 0

    def replace(token: re.Match[str]) -> str:
        nonlocal marks
        if (name := token["name"]) is not None:
            if name not in names:
                names.append(name)
            return f"${names.index(name) + 1}"
        if token["mark"] is not None:
            marks += 1
            return f"${marks}"
        return token[0]

    text = _TOKEN.sub(replace, sql)
    if names and marks:
        raise DatabaseArgumentError("sql", sql, "it mixes ? and :name; use one of them")
    return text.encode(), tuple(names) if names else None


def bound(sql: str, parameters: Parameters) -> tuple[bytes, Sequence[Any] | None]:
    """Return a statement and its values for PostgreSQL; no values are None, so that a script may have several."""
    text, names = numbered(sql)
    if names is None:
        return text, (list(parameters) or None) if not isinstance(parameters, Mapping) else None
    if not isinstance(parameters, Mapping):
        raise DatabaseArgumentError("sql", sql, "it names its values; give a mapping")
    if missing := [name for name in names if name not in parameters]:
        # The error holds no values, because some are secrets.
        raise DatabaseArgumentError("sql", sql, f"no value is given for :{missing[0]}")
    return text, [parameters[name] for name in names]
