"""Database addresses: the path of an SQLite file or the URL of a PostgreSQL database."""

import os
from pathlib import Path
from typing import TypeAlias, cast
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from .errors import DatabaseAddressError

Address: TypeAlias = str | os.PathLike[str]
"""The path of an SQLite file, or a URL such as ``postgresql://user@host/app``."""

ONLY_FILES = "only files are opened here; open_database and PostgresDatabase.open take PostgreSQL URLs"
OTHER_URL = "it is a URL of neither an SQLite file nor a PostgreSQL server"
_SCHEMES = ("postgresql", "postgres")
UNREADABLE = "a URL that cannot be read"
_SECRET = ("password", "sslpassword", "passfile")


def is_url(address: Address) -> bool:
    """Tell whether an address is a URL; its scheme may be any."""
    return "://" in text_of(address)


def is_postgres(address: Address) -> bool:
    """Tell whether an address is a PostgreSQL URL."""
    return text_of(address).partition("://")[0] in _SCHEMES


def text_of(address: object) -> str:
    """Return an address as text; ``DatabaseAddressError`` for bytes, None and other types."""
    try:
        text: object = os.fspath(cast("Address", address))
    except TypeError:
        text = address
    if not isinstance(text, str):
        name = type(text).__name__
        raise DatabaseAddressError(f"<{name}>", f"an address is text or a path, and this is of type {name}")
    return text


def sqlite_path(address: Address) -> Path:
    """Return the real path of the SQLite file that an address names, ``~`` and links resolved.

    Raises ``DatabaseAddressError`` for all other addresses: a URL, an SQLite URI, a database in memory.
    """
    text = text_of(address)
    if text.startswith("file:"):
        raise DatabaseAddressError(text, "it is an SQLite URI, whose options tetherpy sets itself")
    if is_postgres(text):
        raise DatabaseAddressError(redacted(text), ONLY_FILES)
    if is_url(text):
        raise DatabaseAddressError(redacted(text), OTHER_URL)
    if text == ":memory:" or not text or "\0" in text:
        reason = "two connections cannot share a database in memory" if text == ":memory:" else "it is not a path"
        raise DatabaseAddressError(text, reason)
    try:
        # Two names of one file must lead to the same log, change signal file and service folder.
        return Path(text).expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:
        # An unknown user after "~", links in a circle, a lone surrogate.
        raise DatabaseAddressError(text, f"it is no path ({error})") from error


def redacted(address: Address) -> str:
    """Return an address without its password, for logs and messages."""
    text = text_of(address)
    if not is_url(text):
        return text
    try:
        parts = urlsplit(text)
        user, at, host = parts.netloc.rpartition("@")
        query = [(name, value) for name, value in parse_qsl(parts.query) if name not in _SECRET]
    except ValueError:
        return UNREADABLE
    if not at and "@" in text:
        # The password contains an unescaped "/", "?" or "#", so the parsed host is a part of the password.
        return UNREADABLE
    netloc = user.partition(":")[0] + at + host
    return urlunsplit((parts.scheme, netloc, parts.path, urlencode(query, safe="/"), ""))
