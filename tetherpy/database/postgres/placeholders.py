"""Translation of SQLite's placeholders to PostgreSQL's."""

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
    """Replace ``?`` and ``:name`` by ``$1``, ``$2``...; return the statement, and the names in order of their numbers.

    Strings, quoted names and comments are not changed. The names are None if the statement has none. PostgreSQL has
    operators with a question mark; use the equivalent functions, such as ``jsonb_exists``.
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
    """Return a statement and its values for PostgreSQL; without values None, which allows several statements."""
    text, names = numbered(sql)
    if names is None:
        return text, (list(parameters) or None) if not isinstance(parameters, Mapping) else None
    if not isinstance(parameters, Mapping):
        raise DatabaseArgumentError("sql", sql, "it has named placeholders; pass a mapping")
    if missing := [name for name in names if name not in parameters]:
        # The error contains no values, because they may be secrets.
        raise DatabaseArgumentError("sql", sql, f"the value of :{missing[0]} is missing")
    return text, [parameters[name] for name in names]
