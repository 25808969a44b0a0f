"""How connections are made."""

from __future__ import annotations

import asyncio
from typing import Any, TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict

from ..addresses import UNREADABLE
from ..errors import DatabaseAddressError, DatabaseUnavailableError

Connection: TypeAlias = "psycopg.AsyncConnection[Any]"

_DEFAULTS = {
    "application_name": "tetherpy",
    "connect_timeout": "10",
    # A machine that vanished without a word is noticed after half a minute.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "4",
    "tcp_user_timeout": "30000",
}
_SESSION = {
    "TimeZone": "UTC",
    # The server notices it as soon, and lets go what the machine's transactions had locked.
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "4",
}
"""What the server is told of each connection; options in the URL go before these."""
AGAIN_SECONDS = 0.05
_PASSING = (
    "Connection refused",
    "No such file",
    "starting up",
    "shutting down",
    "recovery mode",
    "not yet accepting",
    "timeout expired",
    "unexpectedly",
    "reset by peer",
    "failed to resolve host",
    "administrator command",
)
"""What the client library says of a server that is not there yet, or not any more; it gives no code for these."""


def settings_of(url: str, name: str) -> dict[str, Any]:
    """Read a URL, with defaults for what it leaves open; ``DatabaseAddressError`` if it is none."""
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # Not chained: the server library's message may quote a part of the password.
        raise DatabaseAddressError(name) from None
    if name == UNREADABLE or "@" in str(given.get("host", ""))[1:]:
        # A part of the password, whose own "@", "/", "?" or "#" is not escaped, would be taken for the host.
        raise DatabaseAddressError(name)
    session = [f"-c {setting}={value}" for setting, value in _SESSION.items()]
    return {**_DEFAULTS, **given, "options": " ".join([*session, str(given.pop("options", None) or "")]).rstrip()}


def with_lock_timeout(settings: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Return settings of connections that wait for a lock that long at most, whatever the URL says of it."""
    return {**settings, "options": f"{settings['options']} -c lock_timeout={seconds * 1000:.0f}ms"}


async def connect(settings: dict[str, Any]) -> Connection:
    """Open one connection outside the pools."""
    return await psycopg.AsyncConnection.connect(**settings, autocommit=True)


async def connect_patiently(settings: dict[str, Any], name: str, patience: float) -> Connection:
    """Open a connection; a server that is starting or away is tried for ``patience`` seconds.

    Nothing has been asked of it yet, so trying again is safe. Raises ``DatabaseUnavailableError`` after that,
    and at once for what the server refuses: a wrong password, an unknown database.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    while True:
        try:
            return await connect(settings)
        except psycopg.OperationalError as error:
            if loop.time() >= deadline or not any(cause in str(error) for cause in _PASSING):
                raise DatabaseUnavailableError(name, str(error)) from error
        await asyncio.sleep(AGAIN_SECONDS)
