"""The address of a database in the settings of Django."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from .framework import django

_PARAMETERS = ("sslmode", "sslrootcert", "sslcert", "sslkey", "options", "connect_timeout", "target_session_attrs")
"""Names of ``OPTIONS`` that a URL has too."""


def address_of(settings: Mapping[str, Any]) -> str:
    """Return the path or URL of a database of Django.

    Raises ``ImproperlyConfigured`` for one that is neither SQLite nor PostgreSQL.
    """
    engine = str(settings["ENGINE"])
    if engine.endswith("sqlite3"):
        return str(settings["NAME"])
    if not engine.endswith(("postgresql", "postgis")):
        raise django("core.exceptions.ImproperlyConfigured")(
            f"TetherBackend keeps its jobs in SQLite or PostgreSQL, and the database uses {engine}. Name another "
            'database of DATABASES in its options: "OPTIONS": {"database": "jobs"}.'
        )
    user, password = (quote(str(settings.get(name) or ""), safe="") for name in ("USER", "PASSWORD"))
    options: Mapping[str, Any] = settings.get("OPTIONS") or {}
    query = {"host": settings.get("HOST"), "port": settings.get("PORT")}
    query |= {name: options.get(name) for name in _PARAMETERS}
    given = urlencode({name: value for name, value in query.items() if value}, quote_via=quote)
    login = f"{user}:{password}@" if password else f"{user}@" if user else ""
    return f"postgresql://{login}/{quote(str(settings['NAME']), safe='')}{'?' if given else ''}{given}"
