"""A nonblocking socket of the supervisor that sends and receives frames."""

from __future__ import annotations

import socket
from collections.abc import Callable

import attrs

from ..errors import FrameError
from ..protocol.frames import MAX_FRAME, Frame, decode
from .selector_loop import SelectorLoop

LOW_WATER = 256 << 10
"""Unsent bytes below which a receiver accepts more."""


def _nothing(_: FrameSocket) -> None:
    pass


@attrs.define(eq=False)
class FrameSocket:
    """Send and receive frames over the connection of an app or one of a worker's sockets.

    ``on_close`` is called once, when the other side is closed or sent an invalid frame; ``error`` is set in the second
    case. ``on_room`` is called whenever less than ``LOW_WATER`` bytes are unsent. With more than ``limit`` unsent
    bytes the connection is closed.
    """

    sock: socket.socket
    selector_loop: SelectorLoop
    on_frame: Callable[[FrameSocket, Frame], None]
    on_close: Callable[[FrameSocket], None]
    on_room: Callable[[FrameSocket], None] = _nothing
    limit: int | None = None
    closed: bool = attrs.field(init=False, default=False)
    error: FrameError | None = attrs.field(init=False, default=None)
    last_taken: float = attrs.field(init=False, default=0.0)
    _paused: bool = attrs.field(init=False, default=False)
    _inbox: bytearray = attrs.field(init=False, factory=bytearray)
    _outbox: bytearray = attrs.field(init=False, factory=bytearray)

    def __attrs_post_init__(self) -> None:
        self.sock.setblocking(False)
        self._watch()

    @property
    def unsent(self) -> int:
        """Return the number of unsent bytes."""
        return 0 if self.closed else len(self._outbox)

    def send(self, data: bytes) -> None:
        """Send an encoded frame as soon as the other side reads."""
        if self.closed:
            return
        if not self._outbox:
            self.last_taken = self.selector_loop.now()
        self._outbox += data
        self._write()

    def pause(self) -> None:
        """Stop reading until ``resume``."""
        self._paused = True
        self._watch()

    def resume(self) -> None:
        """Read again."""
        self._paused = False
        self._watch()

    def drain(self) -> None:
        """Handle all received frames, then close."""
        while not self.closed and self._read():
            pass
        self.close()

    def close(self) -> None:
        """Close the connection, unless it is closed."""
        if self.closed:
            return
        self.closed = True
        self.selector_loop.forget(self.sock.fileno())
        self.sock.close()
        self.on_close(self)

    def _watch(self) -> None:
        if not self.closed:
            readable = None if self._paused else self._on_readable
            self.selector_loop.watch(self.sock.fileno(), readable, self._write if self._outbox else None)

    def _write(self) -> None:
        try:
            sent = self.sock.send(self._outbox)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.close()
            return
        if sent:
            del self._outbox[:sent]
            self.last_taken = self.selector_loop.now()
        if self.limit is not None and len(self._outbox) > self.limit:
            self.close()
            return
        self._watch()
        if sent and len(self._outbox) < LOW_WATER:
            self.on_room(self)

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
        *lines, self._inbox = self._inbox.split(b"\n")
        try:
            for line in lines:
                self._handle(line)
            self._check_length(self._inbox)
        except FrameError as error:
            self.error = error
            self.close()
        return True

    def _handle(self, line: bytearray) -> None:
        if not self.closed:
            self._check_length(line)
            self.on_frame(self, decode(line))

    def _check_length(self, line: bytearray) -> None:
        if len(line) >= MAX_FRAME:
            raise FrameError(f"a line has {MAX_FRAME:,} bytes or more")
