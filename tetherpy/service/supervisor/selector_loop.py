"""The supervisor's event loop: descriptors, timers and signals, without threads and without asyncio.

The supervisor must be able to fork inside a callback. A running asyncio loop cannot be forked, because the child would
be marked as running in it. The child of this loop just closes it.
"""

from __future__ import annotations

import heapq
import itertools
import selectors
import signal
import socket
import time
from collections.abc import Callable

import attrs

_READ = selectors.EVENT_READ
_WRITE = selectors.EVENT_WRITE
LONGEST_WAIT_SECONDS = 3600.0
"""Maximum of one wait: the system call takes milliseconds in 31 bits."""
STANDSTILL_SECONDS = 0.5
"""If a timer is later than this, the process was suspended, not busy."""


@attrs.frozen
class _Watch:
    readable: Callable[[], None] | None
    writable: Callable[[], None] | None


@attrs.define(eq=False)
class SelectorLoop:
    """Call back when descriptors are ready, timers are due or signals have arrived.

    ``now`` excludes the time in which the process was suspended, as in a paused container. A late timer detects this.
    So time in which this process could not read is never counted as silence of another process.
    """

    clock: Callable[[], float] = time.monotonic
    _stood_still: float = attrs.field(init=False, default=0.0)
    _selector: selectors.BaseSelector = attrs.field(init=False, factory=selectors.DefaultSelector)
    _timers: list[tuple[float, int, Callable[[], None]]] = attrs.field(
        init=False, factory=list[tuple[float, int, Callable[[], None]]]
    )
    _order: itertools.count[int] = attrs.field(init=False, factory=itertools.count)
    _signals: dict[int, Callable[[], None]] = attrs.field(init=False, factory=dict[int, Callable[[], None]])
    _wakeup_sockets: tuple[socket.socket, socket.socket] = attrs.field(init=False, factory=socket.socketpair)

    def __attrs_post_init__(self) -> None:
        for end in self._wakeup_sockets:
            end.setblocking(False)
        signal.set_wakeup_fd(self._wakeup_sockets[1].fileno(), warn_on_full_buffer=False)
        self.watch(self._wakeup_sockets[0].fileno(), self._on_signals)

    def now(self) -> float:
        """Return the time of the clock, without the time in which this process was suspended."""
        return self.clock() - self._stood_still

    def watch(self, fd: int, readable: Callable[[], None] | None, writable: Callable[[], None] | None = None) -> None:
        """Call ``readable`` while the descriptor can be read, ``writable`` while it can be written."""
        events = (0 if readable is None else _READ) | (0 if writable is None else _WRITE)
        watch = _Watch(readable, writable)
        if not events:
            self.forget(fd)
        elif fd in self._selector.get_map():
            self._selector.modify(fd, events, watch)
        else:
            self._selector.register(fd, events, watch)

    def forget(self, fd: int) -> None:
        """Stop watching a descriptor before it is closed; it may be unwatched."""
        if fd in self._selector.get_map():
            self._selector.unregister(fd)

    def call_later(self, delay: float, callback: Callable[[], None]) -> None:
        """Call ``callback`` once, after ``delay`` seconds."""
        heapq.heappush(self._timers, (self.now() + delay, next(self._order), callback))

    def on_signal(self, number: signal.Signals, callback: Callable[[], None]) -> None:
        """Call ``callback`` in the loop for each signal of this number."""
        self._signals[number] = callback
        signal.signal(number, _do_nothing)
        # A process inherits blocked signals from its parent.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})

    def run(self, until: Callable[[], bool]) -> None:
        """Run until the condition holds; it is checked after each iteration."""
        while not until():
            self.turn()

    def turn(self) -> None:
        """Wait for the next event and call its callbacks."""
        self._discount_standstill()
        for key, events in self._selector.select(self._next_wait()):
            # An earlier callback of this iteration may have removed this descriptor.
            if self._selector.get_map().get(key.fd) is not key:
                continue
            watch: _Watch = key.data
            if events & _WRITE and watch.writable is not None:
                watch.writable()
            if events & _READ and watch.readable is not None and key.fd in self._selector.get_map():
                watch.readable()
        self._discount_standstill()
        while self._timers and self._timers[0][0] <= self.now():
            heapq.heappop(self._timers)[2]()

    def _next_wait(self) -> float | None:
        return min(max(self._timers[0][0] - self.now(), 0.0), LONGEST_WAIT_SECONDS) if self._timers else None

    def _discount_standstill(self) -> None:
        if self._timers and (late := self.now() - self._timers[0][0]) > STANDSTILL_SECONDS:
            self._stood_still += late

    def close(self) -> None:
        """Close the loop and restore the default signal handlers."""
        signal.set_wakeup_fd(-1)
        for number in self._signals:
            default = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, default)
        self._selector.close()
        for end in self._wakeup_sockets:
            end.close()

    def _on_signals(self) -> None:
        for number in self._wakeup_sockets[0].recv(4096):
            if callback := self._signals.get(number):
                callback()


def _do_nothing(number: int, frame: object) -> None:
    """Do nothing: with any handler, Python writes the signal's number to the wake-up socket."""
