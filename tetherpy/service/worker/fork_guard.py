"""The guard that stops forked children of a handler from acting as the worker.

A child made with ``os.fork`` may run code and exit (``multiprocessing``, ``os._exit``). It must not act as a worker,
although it has copies of the database connection and of the running jobs. So it closes the lock that shows that the
worker lives (see ``private_descriptors``), and it exits when it returns to the loop or from the handler. Signals have
their default effect in the child: asyncio would write them to a socket that the worker reads, so terminating a
``multiprocessing`` pool would end the worker. Signals are blocked during the fork and delivered after it: a lost
SIGTERM would make the pool wait forever.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading

FORKED_EXIT_STATUS = 70
ENDING = (signal.SIGTERM, signal.SIGINT)


def guard_against_forks(loop: asyncio.AbstractEventLoop) -> None:
    """Make every forked child of this process exit where it would continue as a worker."""
    # A variable, because the parent may be dead when the child starts, so its process id tells nothing.
    is_worker = True
    forking = threading.local()

    def hold_signals() -> None:
        forking.mask = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)

    def restore_signals() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, forking.mask)

    def in_copy() -> None:
        nonlocal is_worker
        if is_worker:
            is_worker = False
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            loop.call_soon(os._exit, FORKED_EXIT_STATUS)
        restore_signals()

    os.register_at_fork(before=hold_signals, after_in_parent=restore_signals, after_in_child=in_copy)


def exit_if_forked(worker_pid: int) -> None:
    """Exit if this process is a forked child of the worker that returned from a handler."""
    if os.getpid() != worker_pid:
        os._exit(FORKED_EXIT_STATUS)
