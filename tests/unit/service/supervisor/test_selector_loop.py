import contextlib
import os
import signal
import socket

import pytest

from tetherpy.service import FrameError
from tetherpy.service.protocol.frames import MAX_FRAME, Beat, Stop, encode
from tetherpy.service.supervisor.control_server import MAX_UNREAD
from tetherpy.service.supervisor.frame_socket import FrameSocket
from tetherpy.service.supervisor.selector_loop import SelectorLoop


@pytest.fixture
def selector_loop():
    selector_loop = SelectorLoop()
    yield selector_loop
    selector_loop.close()


def test_timers_run_in_order(selector_loop):
    order = []
    selector_loop.call_later(0.02, lambda: order.append("late"))
    selector_loop.call_later(0.0, lambda: order.append("first"))
    selector_loop.call_later(0.0, lambda: order.append("second"))
    selector_loop.run(until=lambda: len(order) == 3)
    assert order == ["first", "second", "late"]


def test_each_signal_is_handled_in_the_loop(selector_loop):
    heard = []
    selector_loop.on_signal(signal.SIGUSR1, lambda: heard.append(signal.SIGUSR1))
    for _ in range(2):
        os.kill(os.getpid(), signal.SIGUSR1)
        selector_loop.turn()
    assert heard == [signal.SIGUSR1] * 2


@pytest.fixture
def pair(selector_loop):
    ours, theirs = socket.socketpair()
    frames, closed = [], []
    frame_socket = FrameSocket(ours, selector_loop, lambda _, frame: frames.append(frame), closed.append)
    yield frame_socket, theirs, frames, closed
    frame_socket.close()
    theirs.close()


def test_frames_arrive_whole_however_they_are_split(selector_loop, pair):
    _, theirs, frames, _ = pair
    for byte in encode(Stop(1.0)) + encode(Beat()):
        theirs.send(bytes([byte]))
        selector_loop.turn()
    assert frames == [Stop(1.0), Beat()]


def test_end_of_stream_and_invalid_data_close_the_connection(selector_loop, pair):
    _, theirs, frames, closed = pair
    theirs.send(b"nonsense\n")
    selector_loop.turn()
    assert len(closed) == 1
    assert frames == []


def test_frames_sent_before_the_end_are_delivered(selector_loop, pair):
    frame_socket, theirs, frames, closed = pair
    theirs.send(encode(Stop(1.0)))
    theirs.close()
    frame_socket.drain()
    assert frames == [Stop(1.0)]
    assert closed == [frame_socket]
    frame_socket.close()
    assert closed == [frame_socket]


def test_a_slow_reader_gets_all_data(selector_loop, pair):
    frame_socket, theirs, _, _ = pair
    frame = encode(Stop(1.0))
    number = (1 << 20) // len(frame)
    for _ in range(number):
        frame_socket.send(frame)
    received = 0
    theirs.setblocking(False)
    while received < number * len(frame):
        with contextlib.suppress(BlockingIOError):
            while data := theirs.recv(1 << 16):
                received += len(data)
        if frame_socket.unsent:
            selector_loop.turn()
    assert received == number * len(frame)


def test_a_reader_that_never_reads_is_dropped(pair):
    frame_socket, _, _, closed = pair
    frame_socket.limit = MAX_UNREAD
    frame = b"x" * (1 << 20)
    for _ in range(2 * MAX_UNREAD // len(frame)):
        frame_socket.send(frame)
    assert closed == [frame_socket]


class HandClock:
    """A monotonic clock that the test sets."""

    def __init__(self):
        self.time = 100.0

    def __call__(self):
        return self.time


def test_suspended_time_does_not_count():
    clock = HandClock()
    selector_loop = SelectorLoop(clock)
    called = []
    try:
        start = selector_loop.now()
        selector_loop.call_later(1.0, lambda: called.append("soon"))
        selector_loop.call_later(5.0, lambda: called.append("later"))
        clock.time += 60.0
        selector_loop.turn()
        assert called == ["soon"]
        assert selector_loop.now() - start == pytest.approx(1.0)
        clock.time += 4.0
        selector_loop.turn()
        assert called == ["soon", "later"]
    finally:
        selector_loop.close()


def test_a_timer_beyond_the_limit_of_the_system_call_neither_fails_nor_runs_at_once(selector_loop):
    called = []
    selector_loop.call_later(1e9, lambda: called.append("timer"))
    selector_loop.on_signal(signal.SIGUSR1, lambda: called.append("signal"))
    os.kill(os.getpid(), signal.SIGUSR1)
    selector_loop.turn()
    assert called == ["signal"]


def test_a_signal_that_the_parent_has_blocked_is_handled(selector_loop):
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    heard = []
    try:
        selector_loop.on_signal(signal.SIGUSR1, lambda: heard.append(True))
        os.kill(os.getpid(), signal.SIGUSR1)
        selector_loop.turn()
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
def test_an_invalid_frame_closes_only_the_connection_of_its_sender(selector_loop, pair, line):
    frame_socket, theirs, frames, closed = pair
    theirs.sendall(encode(Beat()))
    theirs.setblocking(False)
    data = line + b"\n"
    with contextlib.suppress(ConnectionError):
        while data and not closed:
            with contextlib.suppress(BlockingIOError):
                data = data[theirs.send(data) :]
            selector_loop.turn()
    while not closed:
        selector_loop.turn()
    assert frames == [Beat()]
    assert closed == [frame_socket]
    assert isinstance(frame_socket.error, FrameError)
