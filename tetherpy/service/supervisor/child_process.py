"""A worker process in its supervisor, and the fork that creates it."""

from __future__ import annotations

import os
import signal
import socket
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from typing import NoReturn

import attrs

from ..protocol.frames import Frame
from ..worker.process_exit import flush_output, forget_exit_handlers, run_exit_handlers, write_lines_at_once
from .frame_socket import FrameSocket
from .selector_loop import SelectorLoop


@attrs.frozen
class WorkerSockets:
    """The worker's ends of its two sockets."""

    control: socket.socket
    events: socket.socket


@attrs.define(eq=False)
class Child:
    """One forked worker: its process, its two sockets, and the state that it has reported."""

    pid: int
    worker_id: str | None = None
    did_work: bool = False
    last_beat: float | None = None
    started: float = attrs.field(init=False, factory=time.time)
    code: dict[str, float] = attrs.field(init=False, factory=dict[str, float])
    """The files of the app that it has loaded; see ``code_files``."""
    replaces: Child | None = attrs.field(init=False, default=None)
    """The worker with old code that ends when this one is ready."""
    leaving: bool = attrs.field(init=False, default=False)
    """Its successor is ready: it finishes its jobs and ends."""
    control: FrameSocket = attrs.field(init=False)
    events: FrameSocket = attrs.field(init=False)

    @property
    def was_ready(self) -> bool:
        """Tell whether it was ever ready for jobs."""
        return self.worker_id is not None

    def kill(self) -> None:
        """Kill the process; it must still be reaped."""
        os.kill(self.pid, signal.SIGKILL)

    def reap(self) -> str | None:
        """Return how the process ended, after handling its last frames; None while it lives."""
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            pid, status = self.pid, None
        if not pid:
            return None
        self.control.drain()
        self.events.drain()
        return "ended with an unknown status" if status is None else _ending(os.waitstatus_to_exitcode(status))

    def hang_up(self) -> None:
        """Close both sockets: the worker finishes its jobs and ends."""
        self.control.close()
        self.events.close()

    def close_descriptors(self) -> None:
        """Close the descriptors without affecting the worker: for a forked sibling."""
        self.control.sock.close()
        self.events.sock.close()


def _ending(code: int) -> str:
    if code >= 0:
        return f"exited with status {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        # Real-time signals have no names.
        name = f"signal {-code}"
    return f"was killed by {name}"


@attrs.frozen(eq=False)
class Forker:
    """Fork workers that run ``work`` with their sockets and exit with the code it returns.

    In the worker ``release`` closes the descriptors of the supervisor. With ``own_group`` each worker is a process
    group, so that Ctrl-C in a terminal reaches only the supervisor.
    """

    selector_loop: SelectorLoop
    work: Callable[[WorkerSockets], int]
    release: Callable[[], None]
    on_frame: Callable[[Child, FrameSocket, Frame], None]
    on_close: Callable[[Child, FrameSocket], None]
    on_room: Callable[[FrameSocket], None]
    own_group: bool

    def fork(self, output: int | None) -> Child:
        """Fork a worker that prints to ``output``, which is closed here; None means the output of the supervisor.

        Raises ``OSError`` if the system has reached its limit of processes or descriptors.
        """
        with ExitStack() as undone:
            if output is not None:
                undone.callback(os.close, output)
            control, events = (_pair(undone) for _ in range(2))
            flush_output()
            pid = os.fork()
            undone.pop_all()
        if not pid:
            control[0].close()
            events[0].close()
            self._be_worker(WorkerSockets(control[1], events[1]), output)
        control[1].close()
        events[1].close()
        if output is not None:
            os.close(output)
        child = Child(pid)

        def on_frame(line: FrameSocket, frame: Frame) -> None:
            self.on_frame(child, line, frame)

        def on_close(line: FrameSocket) -> None:
            self.on_close(child, line)

        child.control = FrameSocket(control[0], self.selector_loop, on_frame, on_close)
        child.events = FrameSocket(events[0], self.selector_loop, on_frame, on_close, self.on_room)
        return child

    def _be_worker(self, sockets: WorkerSockets, output: int | None) -> NoReturn:
        # The supervisor's loop, which called this function, must never continue in the child.
        code = 1
        try:
            forget_exit_handlers()
            self.release()
            if self.own_group:
                os.setpgid(0, 0)
                # A terminal must not stop a worker because it writes output from a background group.
                signal.signal(signal.SIGTTOU, signal.SIG_IGN)
            if output is not None:
                os.dup2(output, 1)
                os.dup2(output, 2)
                os.close(output)
            write_lines_at_once()
            code = self.work(sockets)
            run_exit_handlers(code)
        except BaseException:
            traceback.print_exc()
        finally:
            flush_output()
            os._exit(code)


def _pair(undone: ExitStack) -> tuple[socket.socket, socket.socket]:
    pair = socket.socketpair()
    for end in pair:
        undone.callback(end.close)
    return pair
