"""A TCP proxy in front of a server, whose connections can stop transferring data without being closed."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import attrs
from psycopg.conninfo import conninfo_to_dict

T = TypeVar("T")
CHUNK_BYTES = 65_536


@attrs.define(eq=False)
class _Link:
    """A connection of a client, and the corresponding connection to the server."""

    passing: asyncio.Event = attrs.field(factory=asyncio.Event)

    def __attrs_post_init__(self) -> None:
        self.passing.set()


@attrs.define(eq=False)
class StallingProxy:
    """Forward bytes in both directions in a thread; ``stall`` makes the present connections half-open.

    A stalled connection accepts data from both sides, as far as the system buffers it, and delivers nothing.
    """

    server: str
    _loop: asyncio.AbstractEventLoop = attrs.field(init=False, factory=asyncio.new_event_loop)
    _links: set[_Link] = attrs.field(init=False, factory=set[_Link])
    _serving: set[asyncio.Task[None]] = attrs.field(init=False, factory=set["asyncio.Task[None]"])
    _mute: bool = attrs.field(init=False, default=False)
    _listening: Any = attrs.field(init=False, default=None)

    @property
    def url(self) -> str:
        """Return the server's URL with the address of the proxy."""
        parts = urlsplit(self.server)
        port = self._listening.sockets[0].getsockname()[1]
        query = {name: values[0] for name, values in parse_qs(parts.query).items() if name not in ("host", "port")}
        user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
        return urlunsplit(parts._replace(netloc=f"{user}127.0.0.1:{port}", query=urlencode(query)))

    def stall(self, *, mute: bool = False) -> int:
        """Stop forwarding over the open connections; with ``mute`` over later ones too."""

        async def stall() -> int:
            self._mute = mute
            for link in self._links:
                link.passing.clear()
            return len(self._links)

        return self._in_loop(stall)

    def speak(self) -> None:
        """Forward the bytes of new connections again."""

        async def speak() -> None:
            self._mute = False

        self._in_loop(speak)

    def _in_loop(self, work: Callable[[], Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work(), self._loop).result()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link()
        if self._mute:
            link.passing.clear()
        self._links.add(link)
        ends = [writer]
        passing: list[asyncio.Task[None]] = []
        try:
            there_reader, there_writer = await self._connect()
            ends.append(there_writer)
            passing += [
                self._loop.create_task(_pass(reader, there_writer, link)),
                self._loop.create_task(_pass(there_reader, writer, link)),
            ]
            await asyncio.wait(passing, return_when=asyncio.FIRST_COMPLETED)
        except OSError:
            pass  # the server does not run: the connection of the client is closed
        finally:
            self._links.discard(link)
            for task in passing:
                task.cancel()
            for end in ends:
                end.close()
            await asyncio.gather(*passing, return_exceptions=True)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        parameters = conninfo_to_dict(self.server)
        host, port = str(parameters["host"]), int(parameters.get("port") or 5432)
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, port)

    async def _listen(self) -> None:
        self._listening = await asyncio.start_server(self._accept, "127.0.0.1", 0)

    async def _end(self) -> None:
        self._listening.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # transports close in the next turn
        self._loop.stop()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, link: _Link) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK_BYTES):
            await link.passing.wait()
            writer.write(data)
            await writer.drain()


@contextmanager
def stalling_proxy(server: str) -> Iterator[StallingProxy]:
    """Run a proxy in front of the server of a URL."""
    proxy = StallingProxy(server)
    thread = threading.Thread(target=proxy._loop.run_forever, name="stalling proxy")
    thread.start()
    try:
        proxy._in_loop(proxy._listen)
        yield proxy
    finally:
        asyncio.run_coroutine_threadsafe(proxy._end(), proxy._loop)
        thread.join()
        proxy._loop.close()
