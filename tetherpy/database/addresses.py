"""Addresses of databases: a path is SQLite's, a URL is PostgreSQL's."""

import os
from typing import TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

Address: TypeAlias = str | os.PathLike[str]
"""The path of an SQLite file, or a URL such as ``postgresql://user@host/app``."""

_SCHEMES = ("postgresql", "postgres")
UNREADABLE = "a URL that cannot be read"
_SECRET = ("password", "sslpassword", "passfile")


def is_url(address: Address) -> bool:
    """Tell whether an address is a URL of whatever scheme."""
    return "://" in os.fspath(address)


def is_postgres(address: Address) -> bool:
    """Tell whether an address is a PostgreSQL URL."""
    return os.fspath(address).partition("://")[0] in _SCHEMES


def redacted(address: Address) -> str:
    """Write an address for people and logs: without its password."""
    text = os.fspath(address)
    if not is_url(text):
        return text
    try:
        parts = urlsplit(text)
        user, at, host = parts.netloc.rpartition("@")
        query = [(name, value) for name, value in parse_qsl(parts.query) if name not in _SECRET]
    except ValueError:
        return UNREADABLE
    if not at and "@" in text:
        # The password holds "/", "?" or "#" as they are: what seems to be the host is a part of it.
        return UNREADABLE
    netloc = user.partition(":")[0] + at + host
    return urlunsplit((parts.scheme, netloc, parts.path, urlencode(query, safe="/"), ""))
