import contextlib
import os
import signal
import socket

import pytest

from tetherpy.service import FrameError
from tetherpy.service.protocol.frames import MAX_FRAME, Beat, Stop, encode
from tetherpy.service.supervisor.control_server import MAX_UNREAD
from tetherpy.service.supervisor.frame_socket import Peer
from tetherpy.service.supervisor.selector_loop import Reactor


@pytest.fixture
def reactor():
    reactor = Reactor()
    yield reactor
    reactor.close()


def test_timers_go_off_in_order(reactor):
    order = []
    reactor.call_later(0.02, lambda: order.append("late"))
    reactor.call_later(0.0, lambda: order.append("first"))
    reactor.call_later(0.0, lambda: order.append("second"))
    reactor.run(until=lambda: len(order) == 3)
    assert order == ["first", "second", "late"]


def test_each_signal_is_heard_in_the_loop(reactor):
    heard = []
    reactor.on_signal(signal.SIGUSR1, lambda: heard.append(signal.SIGUSR1))
    for _ in range(2):
        os.kill(os.getpid(), signal.SIGUSR1)
        reactor.turn()
    assert heard == [signal.SIGUSR1] * 2


@pytest.fixture
def pair(reactor):
    ours, theirs = socket.socketpair()
    frames, closed = [], []
    peer = Peer(ours, reactor, lambda _, frame: frames.append(frame), closed.append)
    yield peer, theirs, frames, closed
    peer.close()
    theirs.close()


def test_frames_arrive_whole_however_they_are_cut(reactor, pair):
    _, theirs, frames, _ = pair
    for byte in encode(Stop(1.0)) + encode(Beat()):
        theirs.send(bytes([byte]))
        reactor.turn()
    assert frames == [Stop(1.0), Beat()]


def test_end_and_nonsense_close(reactor, pair):
    _, theirs, frames, closed = pair
    theirs.send(b"nonsense\n")
    reactor.turn()
    assert len(closed) == 1
    assert frames == []


def test_last_words_are_heard(reactor, pair):
    peer, theirs, frames, closed = pair
    theirs.send(encode(Stop(1.0)))
    theirs.close()
    peer.drain()
    assert frames == [Stop(1.0)]
    assert closed == [peer]
    peer.close()
    assert closed == [peer]


def test_slow_reader_gets_everything(reactor, pair):
    peer, theirs, _, _ = pair
    frame = encode(Stop(1.0))
    number = (1 << 20) // len(frame)
    for _ in range(number):
        peer.send(frame)
    received = 0
    theirs.setblocking(False)
    while received < number * len(frame):
        with contextlib.suppress(BlockingIOError):
            while data := theirs.recv(1 << 16):
                received += len(data)
        if peer.unsent:
            reactor.turn()
    assert received == number * len(frame)


def test_reader_who_never_reads_is_dropped(pair):
    peer, _, _, closed = pair
    peer.limit = MAX_UNREAD
    frame = b"x" * (1 << 20)
    for _ in range(2 * MAX_UNREAD // len(frame)):
        peer.send(frame)
    assert closed == [peer]


class HandClock:
    """A monotonic clock that a test moves."""

    def __init__(self):
        self.time = 100.0

    def __call__(self):
        return self.time


def test_time_in_which_the_process_stood_still_does_not_pass():
    clock = HandClock()
    reactor = Reactor(clock)
    called = []
    try:
        start = reactor.now()
        reactor.call_later(1.0, lambda: called.append("soon"))
        reactor.call_later(5.0, lambda: called.append("later"))
        clock.time += 60.0
        reactor.turn()
        assert called == ["soon"]
        assert reactor.now() - start == pytest.approx(1.0)
        clock.time += 4.0
        reactor.turn()
        assert called == ["soon", "later"]
    finally:
        reactor.close()


def test_a_timer_beyond_what_the_system_call_takes_is_waited_for(reactor):
    reactor.call_later(1e9, lambda: None)
    reactor.on_signal(signal.SIGUSR1, lambda: None)
    os.kill(os.getpid(), signal.SIGUSR1)
    reactor.turn()


def test_a_signal_that_the_parent_has_blocked_is_heard(reactor):
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    heard = []
    try:
        reactor.on_signal(signal.SIGUSR1, lambda: heard.append(True))
        os.kill(os.getpid(), signal.SIGUSR1)
        reactor.turn()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    assert heard == [True]


NOT_FRAMES = [
    b"nonsense",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"type":"event","name":"x","data":1e400}',
    b'{"type":"event","name":"x","data":"\xff"}',
    b'{"type":"event","name":"x","data":' + b"[" * 500 + b"]" * 500 + b"}",
    b'{"type":"event","name":"\\ud800","data":1}',
    b'{"type":"stop","timeout":"x"}',
    b"x" * MAX_FRAME,
]


@pytest.mark.parametrize("line", NOT_FRAMES, ids=lambda line: repr(line[:40]))
def test_what_is_not_a_frame_costs_its_sender_the_connection_and_only_that(reactor, pair, line):
    peer, theirs, frames, closed = pair
    theirs.sendall(encode(Beat()))
    theirs.setblocking(False)
    data = line + b"\n"
    with contextlib.suppress(ConnectionError):
        while data and not closed:
            with contextlib.suppress(BlockingIOError):
                data = data[theirs.send(data) :]
            reactor.turn()
    while not closed:
        reactor.turn()
    assert frames == [Beat()]
    assert closed == [peer]
    assert isinstance(peer.error, FrameError)
