"""One connection of the supervisor: frames in, frames out, never blocking."""

from __future__ import annotations

import socket
from collections.abc import Callable

import attrs
import msgspec

from .reactor import Reactor
from .wire import MAX_FRAME, Frame, decode

MAX_UNREAD = 8 << 20
"""Bytes that wait for a reader who does not read; beyond that the connection is dropped."""


@attrs.define(eq=False)
class Peer:
    """Speak with one app or worker; ``on_close`` is called once, when the other side is gone."""

    sock: socket.socket
    reactor: Reactor
    on_frame: Callable[[Peer, Frame], None]
    on_close: Callable[[Peer], None]
    closed: bool = attrs.field(init=False, default=False)
    _inbox: bytearray = attrs.field(init=False, factory=bytearray)
    _outbox: bytearray = attrs.field(init=False, factory=bytearray)

    def __attrs_post_init__(self) -> None:
        self.sock.setblocking(False)
        self.reactor.watch(self.sock.fileno(), self._on_readable)

    @property
    def has_unsent(self) -> bool:
        """Tell whether the other side has yet to read something."""
        return bool(self._outbox) and not self.closed

    def send(self, data: bytes) -> None:
        """Send an encoded frame as soon as the other side reads."""
        if self.closed:
            return
        self._outbox += data
        self._write()

    def drain(self) -> None:
        """Handle all that the other side has sent, then close."""
        while not self.closed and self._read():
            pass
        self.close()

    def close(self) -> None:
        """Close the connection; nothing happens if it is closed already."""
        if self.closed:
            return
        self.closed = True
        self.reactor.forget(self.sock.fileno())
        self.sock.close()
        self.on_close(self)

    def _write(self) -> None:
        try:
            del self._outbox[: self.sock.send(self._outbox)]
        except BlockingIOError:
            pass
        except OSError:
            self.close()
            return
        if len(self._outbox) > MAX_UNREAD:
            self.close()
            return
        self.reactor.watch(self.sock.fileno(), self._on_readable, self._write if self._outbox else None)

    def _on_readable(self) -> None:
        self._read()

    def _read(self) -> bool:
        try:
            data = self.sock.recv(1 << 16)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self.close()
            return False
        self._inbox += data
        *lines, rest = self._inbox.split(b"\n")
        self._inbox = rest
        try:
            for frame in [decode(line) for line in lines]:
                self.on_frame(self, frame)
        except msgspec.MsgspecError:
            self.close()
        if len(self._inbox) > MAX_FRAME:
            self.close()
        return True
