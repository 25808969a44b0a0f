"""Live updates of an open page by server-sent events."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing

import attrs
import msgspec
from starlette.types import Receive, Scope, Send

from tetherpy.event_wait import wait_for_event
from tetherpy.reactive import ProviderContainer, ProviderListenable

from ..watcher import Watcher
from .pages.fragments import Fragment, together

SHORTEST_REST = 0.04
"""Minimum seconds between two messages: at most 25 a second."""
SILENCE_SECONDS = 15.0
"""After so many seconds without an event a comment is sent, so that both sides detect a broken connection."""
UNREAD_SECONDS = 10.0
"""A client that reads nothing for so many seconds is disconnected."""
FIRST_PAINT_SECONDS = 2.0
"""Fragments that are not ready after so many seconds are sent as loading."""


@attrs.define
class Changes:
    """Computes the difference to the last state that was sent; holds one copy of the page."""

    _html: dict[str, str] = attrs.Factory(dict[str, str])
    _lists: dict[str, tuple[str, ...]] = attrs.Factory(dict[str, tuple[str, ...]])

    def since_last(self, part: Fragment) -> Mapping[str, object]:
        """Return the changed elements and lists; empty without a change."""
        html = {name: text for name, text in part.html.items() if self._html.get(name) != text}
        lists = {name: rows for name, rows in part.lists.items() if self._lists.get(name) != rows}
        self._html, self._lists = dict(part.html), dict(part.lists)
        return {name: value for name, value in (("html", html), ("lists", lists)) if value}


@attrs.define(eq=False)
class Live:
    """Reads fragments from a container, for pages and their streams."""

    container: ProviderContainer
    instance: str = attrs.field(factory=lambda: secrets.token_hex(8))
    """Random id of this server process, by which a page detects a restart."""
    streams: int = attrs.field(init=False, default=0)
    """Number of open streams."""

    async def first(self, parts: Sequence[ProviderListenable[Fragment]]) -> Fragment:
        """Return the fragments once all are ready, or after ``FIRST_PAINT_SECONDS``."""
        changed = asyncio.Event()
        with Watcher(self.container, changed.set) as watcher:
            return await _loaded(watcher, changed, parts)

    async def events(self, parts: Sequence[ProviderListenable[Fragment]]) -> AsyncGenerator[bytes]:
        """Yield events: the server's id, the whole page, then changes; a slow client gets only the newest state."""
        changed = asyncio.Event()
        changes = Changes()
        loop = asyncio.get_running_loop()
        yield _event("hello", {"instance": self.instance})
        with Watcher(self.container, changed.set) as watcher:
            seen = await _loaded(watcher, changed, parts)
            while not watcher.closed:
                begun = loop.time()
                if news := changes.since_last(seen):
                    yield _event("change", news)
                if not await wait_for_event(changed, SILENCE_SECONDS):
                    yield b":\n\n"
                    continue
                await asyncio.sleep(begun + SHORTEST_REST - loop.time())
                if not watcher.closed:
                    changed.clear()
                    seen = _look(watcher, parts)

    def stream(self, parts: Sequence[ProviderListenable[Fragment]]) -> EventStream:
        """Return the response that streams the events."""
        return EventStream(self, parts)


@attrs.frozen(eq=False)
class EventStream:
    """An ASGI response that sends events until the client disconnects or stops reading."""

    live: Live
    parts: Sequence[ProviderListenable[Fragment]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        self.live.streams += 1
        try:
            sending = asyncio.create_task(self._send(send))
            leaving = asyncio.create_task(_disconnected(receive))
            try:
                await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (sending, leaving):
                    task.cancel()
                await asyncio.wait((sending, leaving))
            if not sending.cancelled():
                sending.result()
        finally:
            self.live.streams -= 1

    async def _send(self, send: Send) -> None:
        async with aclosing(self.live.events(self.parts)) as events:
            async for event in events:
                try:
                    async with asyncio.timeout(UNREAD_SECONDS):
                        await send({"type": "http.response.body", "body": event, "more_body": True})
                except TimeoutError:
                    return
        await send({"type": "http.response.body", "body": b""})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _loaded(watcher: Watcher, changed: asyncio.Event, parts: Sequence[ProviderListenable[Fragment]]) -> Fragment:
    seen = _look(watcher, parts)
    try:
        async with asyncio.timeout(FIRST_PAINT_SECONDS):
            while not seen.ready:
                await changed.wait()
                changed.clear()
                seen = _look(watcher, parts)
    except TimeoutError:
        return seen
    return seen


def _look(watcher: Watcher, parts: Sequence[ProviderListenable[Fragment]]) -> Fragment:
    return together([watcher.watch(part) for part in parts])


def _event(name: str, data: object) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(data) + b"\n\n"
