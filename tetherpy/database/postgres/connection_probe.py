"""A probe that finds dead connections: it asks the server, over another connection, for the state of their calls."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeAlias

import attrs
import psycopg
from psycopg.rows import tuple_row

from .connection import ANSWER_SECONDS, Connection, connect_internal

logger = logging.getLogger("tetherpy.database")

_STATES = b"SELECT pid, state, state_change FROM pg_stat_activity WHERE pid = ANY (%s)"
_UNREACHABLE = "the server does not accept new connections either"
_GONE = "its server process has ended"

Place: TypeAlias = tuple[str, str, int]
Suspicion: TypeAlias = tuple[str, datetime | None]


@attrs.define(eq=False)
class ConnectionProbe:
    """Shut connections down whose calls wait for a result that cannot arrive.

    The duration of a statement is not limited. But if the server reports twice in a row that the process of the
    connection has been waiting for a statement since the same time, the statement or its result was lost.
    """

    _settings: dict[str, Any] = attrs.field(repr=False)
    _name: str
    _suspects: dict[Connection, tuple[float, Suspicion]] = attrs.field(
        init=False, factory=dict[Connection, "tuple[float, Suspicion]"]
    )

    async def probe(self, connections: Iterable[Connection], since: float) -> None:
        """Check connections whose call has waited since then or longer; shut those down that are suspects twice."""
        waiting: dict[Place, dict[Connection, float]] = {}
        for connection in connections:
            began = connection.unanswered_since
            if began is not None and began <= since:
                waiting.setdefault(_place(connection), {})[connection] = began
        before, self._suspects = self._suspects, {}
        for place, calls in waiting.items():
            for connection, suspicion in (await self._find_suspects(place, list(calls))).items():
                finding = (calls[connection], suspicion)
                if connection.unanswered_since != calls[connection]:
                    continue  # the result has arrived
                if before.get(connection) == finding:
                    logger.warning("%s: a call got no result (%s); its connection is closed", self._name, suspicion[0])
                    connection.hang_up()
                else:
                    self._suspects[connection] = finding

    async def _find_suspects(self, place: Place, connections: list[Connection]) -> dict[Connection, Suspicion]:
        host, address, port = place
        settings = {**self._settings, "host": host, "port": port, "connect_timeout": ANSWER_SECONDS}
        if address and not host.startswith("/"):
            settings["hostaddr"] = address
        try:
            states = await _states(settings, [connection.info.backend_pid for connection in connections])
        except psycopg.Error as error:
            # A server that refuses the connection is alive and may be working on the calls.
            return {} if "FATAL" in str(error) else dict.fromkeys(connections, (_UNREACHABLE, None))
        if states is None:
            return {}
        suspects: dict[Connection, Suspicion] = {}
        for connection in connections:
            state, changed = states.get(connection.info.backend_pid, (_GONE, None))
            if state == _GONE:
                suspects[connection] = (_GONE, None)
            elif state is not None and state.startswith("idle"):
                suspects[connection] = (f"its server process is {state}", changed)
        return suspects


async def _states(settings: dict[str, Any], pids: list[int]) -> dict[int, tuple[str | None, datetime | None]] | None:
    """Return the states of server processes by process id; None behind a pooler, whose process ids differ."""
    connection = await connect_internal(settings)
    try:
        with connection.answering():
            async with connection.cursor(row_factory=tuple_row) as cursor:
                await cursor.execute(b"SELECT pg_backend_pid()")
                if await cursor.fetchone() != (connection.info.backend_pid,):
                    return None
                await cursor.execute(_STATES, (pids,))
                return {pid: (state, changed) for pid, state, changed in await cursor.fetchall()}
    finally:
        await connection.close()


def _place(connection: Connection) -> Place:
    info = connection.info
    return info.host, info.hostaddr, info.port
