"""What becomes of a copy of the worker that a handler makes with ``os.fork``.

The copy may run code of its own and end (``multiprocessing``, ``os._exit``). It must never act as
a worker: it has the worker's database connection and its running jobs, and is not entitled to
either. So it drops the lock that says the worker lives, and ends when it comes back to the loop
or returns from the handler.
"""

from __future__ import annotations

import asyncio
import os

FORKED_EXIT_STATUS = 70


def guard_against_forks(loop: asyncio.AbstractEventLoop, *private: int) -> None:
    """Make every later fork of this process close the ``private`` descriptors and not be a worker."""
    worker = os.getpid()

    def in_copy() -> None:
        if os.getppid() != worker:
            return
        for descriptor in private:
            os.close(descriptor)
        loop.call_soon(os._exit, FORKED_EXIT_STATUS)

    os.register_at_fork(after_in_child=in_copy)


def exit_if_forked(worker_pid: int) -> None:
    """End this process if it is a copy of the worker that returned from a handler."""
    if os.getpid() != worker_pid:
        os._exit(FORKED_EXIT_STATUS)
