"""The end of a copy of the worker that a handler makes with ``os.fork``.

The copy may run code and end (``multiprocessing``, ``os._exit``). It must never act as a worker: it has the
worker's database connection and its running jobs, and is not entitled to either. So it drops the lock that says
the worker lives (``private_descriptors`` does that), and ends when it comes back to the loop or returns from the
handler. A signal to the copy does what it does by default: asyncio would write it to a socket that the worker
reads, and so end the worker with a ``multiprocessing`` pool. A signal that comes while the copy is being made
waits until that is so: lost, it would leave the pool to wait for a process that was told to end.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading

FORKED_EXIT_STATUS = 70
ENDING = (signal.SIGTERM, signal.SIGINT)


def guard_against_forks(loop: asyncio.AbstractEventLoop) -> None:
    """Make every later fork of this process end where it would go on as a worker."""
    # Known here and not asked of the system: a copy's first moment may come when its worker is dead already.
    is_worker = True
    forking = threading.local()

    def hold_signals() -> None:
        forking.mask = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)

    def let_signals_in() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, forking.mask)

    def in_copy() -> None:
        nonlocal is_worker
        if is_worker:
            is_worker = False
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            loop.call_soon(os._exit, FORKED_EXIT_STATUS)
        let_signals_in()

    os.register_at_fork(before=hold_signals, after_in_parent=let_signals_in, after_in_child=in_copy)


def exit_if_forked(worker_pid: int) -> None:
    """End this process if it is a copy of the worker that returned from a handler."""
    if os.getpid() != worker_pid:
        os._exit(FORKED_EXIT_STATUS)
