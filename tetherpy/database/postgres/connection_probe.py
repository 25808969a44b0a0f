"""Finding connections that pass nothing: the server is asked, over another one, whether it works on their calls."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeAlias

import attrs
import psycopg
from psycopg.rows import tuple_row

from .connection import ANSWER_SECONDS, Connection, connect

logger = logging.getLogger("tetherpy.database")

_STATES = b"SELECT pid, state, state_change FROM pg_stat_activity WHERE pid = ANY (%s)"
_UNREACHABLE = "the server takes no new connections either"
_GONE = "its server process has ended"

Place: TypeAlias = tuple[str, str, int]
Suspicion: TypeAlias = tuple[str, datetime | None]


@attrs.define(eq=False)
class ConnectionProbe:
    """Hang up connections whose calls wait for an answer that cannot come.

    A statement may run for as long as it likes. But if the server says twice in a row that the connection's process
    has been waiting for a statement since the same instant, the statement or its answer was lost on the way.
    """

    _settings: dict[str, Any] = attrs.field(repr=False)
    _name: str
    _suspects: dict[Connection, tuple[float, Suspicion]] = attrs.field(
        init=False, factory=dict[Connection, "tuple[float, Suspicion]"]
    )

    async def probe(self, connections: Iterable[Connection], since: float) -> None:
        """Examine those whose call has waited since then or longer; hang up those that were doubtful before."""
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
                    continue  # it has its answer now
                if before.get(connection) == finding:
                    logger.warning("%s: a call got no answer (%s); its connection is closed", self._name, suspicion[0])
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
            # A server that refuses answers: it may well work on the calls.
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
    """Return the states of server processes by number; None behind a pooler, which numbers them differently."""
    connection = await connect(settings)
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
