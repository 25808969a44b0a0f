"""One worker process as its supervisor sees it, and the fork that makes it."""

from __future__ import annotations

import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from typing import NoReturn

import attrs

from .peer import Peer
from .reactor import Reactor
from .wire import Frame


@attrs.define(eq=False)
class Child:
    """Hold one forked worker: its process, the channel to it, and what it said about itself."""

    pid: int
    started: float
    worker_id: str | None = None
    last_beat: float | None = None
    peer: Peer = attrs.field(init=False)

    @property
    def was_ready(self) -> bool:
        """Tell whether it ever took jobs."""
        return self.worker_id is not None

    def kill(self) -> None:
        """End the process now; it is still to be reaped."""
        os.kill(self.pid, signal.SIGKILL)

    def reap(self) -> str | None:
        """Return how the process ended, its last words heard; None while it lives."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if not pid:
            return None
        self.peer.drain()
        code = os.waitstatus_to_exitcode(status)
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"exited with status {code}"


def fork_worker(
    reactor: Reactor,
    work: Callable[[socket.socket], int],
    release: Callable[[], None],
    on_frame: Callable[[Child, Frame], None],
    output: int | None,
) -> Child:
    """Fork a worker that runs ``work`` with its end of a channel and ends with the code it returns.

    In the worker ``release`` closes what belongs to the supervisor. What the worker prints goes to
    ``output``, which is closed here; None leaves it the supervisor's own. Raises ``OSError`` if the
    system has no room for another process or no descriptors for its channel.
    """
    with ExitStack() as undone:
        if output is not None:
            undone.callback(os.close, output)
        ours, theirs = socket.socketpair()
        undone.callback(ours.close)
        undone.callback(theirs.close)
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        undone.pop_all()
    if not pid:
        ours.close()
        _be_worker(work, release, theirs, output)
    theirs.close()
    if output is not None:
        os.close(output)
    child = Child(pid, reactor.clock())
    child.peer = Peer(ours, reactor, lambda _, frame: on_frame(child, frame), lambda _: None)
    return child


def _be_worker(
    work: Callable[[socket.socket], int],
    release: Callable[[], None],
    channel: socket.socket,
    output: int | None,
) -> NoReturn:
    # Whatever happens here, the supervisor's loop above this frame must never go on in the child.
    code = 1
    try:
        release()
        if output is not None:
            os.dup2(output, 1)
            os.dup2(output, 2)
            os.close(output)
        code = work(channel)
    except BaseException:
        traceback.print_exc()
    finally:
        _flush()
        os._exit(code)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            # Nobody reads any more, or the handler closed it: there is no one left to tell.
            continue
