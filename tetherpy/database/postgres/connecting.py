"""How connections are made and kept: pools that notice dead connections without asking the server."""

from __future__ import annotations

import asyncio
import select
from typing import Any, TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import AsyncConnectionPool

from ..errors import DatabaseAddressError, DatabaseUnavailableError

Connection: TypeAlias = "psycopg.AsyncConnection[Any]"
Pool: TypeAlias = "AsyncConnectionPool[Connection]"

_DEFAULTS = {
    "application_name": "tetherpy",
    "connect_timeout": "10",
    # A machine that vanished without a word is noticed after half a minute.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "4",
    "tcp_user_timeout": "30000",
}
GET_SECONDS = 10.0
"""How long a call waits for a free connection, or for one to a server that is just starting."""
AGAIN_SECONDS = 0.1
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
    "could not translate host name",
)
"""What the client library says of a server that is not there yet, or not any more; it gives no code for these."""


def settings_of(url: str, name: str) -> dict[str, Any]:
    """Read a URL, with defaults for what it leaves open; ``DatabaseAddressError`` if it is none."""
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # Not chained: the server library's message may quote a part of the password.
        raise DatabaseAddressError(name) from None
    options = f"-c TimeZone=UTC {given.pop('options', None) or ''}".rstrip()
    return {**_DEFAULTS, **given, "options": options}


def make_pool(settings: dict[str, Any], name: str, size: int) -> Pool:
    """Return a pool, not open yet, of at most ``size`` connections that commit each statement."""
    return AsyncConnectionPool(
        kwargs={**settings, "autocommit": True},
        min_size=1,
        max_size=size,
        max_idle=60.0,
        timeout=GET_SECONDS,
        reconnect_timeout=GET_SECONDS,
        check=check,
        name=name,
        open=False,
    )


async def connect(settings: dict[str, Any]) -> Connection:
    """Open one connection outside the pools."""
    return await psycopg.AsyncConnection.connect(**settings, autocommit=True)


async def wait_until_reachable(settings: dict[str, Any], name: str, patience: float) -> None:
    """Return once a connection succeeds; a server that is starting or absent is tried for ``patience`` seconds.

    Whatever the server refuses (a wrong password, an unknown database) is an error at once.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    while True:
        try:
            connection = await connect(settings)
        except psycopg.OperationalError as error:
            if loop.time() >= deadline or not any(cause in str(error) for cause in _PASSING):
                raise DatabaseUnavailableError(name, str(error)) from error
        else:
            await connection.close()
            return
        await asyncio.sleep(AGAIN_SECONDS)


async def check(connection: Connection) -> None:
    """Refuse a connection that has something to read while idle: the server closed it, or says that it will.

    A look at the socket instead of a question to the server, which would cost every call a round trip.
    """
    if connection.closed or select.select([connection.fileno()], [], [], 0)[0]:
        raise psycopg.OperationalError("the server closed the connection")
