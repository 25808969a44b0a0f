"""The end of a worker process: exit handlers, bounded in time, and the output that is still buffered."""

from __future__ import annotations

import atexit
import io
import logging
import os
import sys
import threading
from collections.abc import Callable
from types import ModuleType

from ..protocol.wait_bounds import EXIT_SECONDS


def forget_exit_handlers() -> None:
    """Drop the exit handlers of the parent: they are for its end. Those of Python's own modules stay."""
    _internal(atexit, "_clear")()
    atexit.register(logging.shutdown)
    if (util := sys.modules.get("multiprocessing.util")) is not None:
        atexit.register(util._exit_function)


def run_exit_handlers(code: int) -> None:
    """Run what ``atexit`` has and end pools, as the end of an interpreter does.

    After ``EXIT_SECONDS`` the process ends with ``code`` whatever still runs.
    """
    bound = threading.Timer(EXIT_SECONDS, os._exit, (code,))
    bound.daemon = True
    bound.start()
    # The interpreter's own order: pools and threads first, which the handlers may still use, then the handlers.
    _internal(threading, "_shutdown")()
    _internal(atexit, "_run_exitfuncs")()
    bound.cancel()


def _internal(module: ModuleType, name: str) -> Callable[[], None]:
    # As multiprocessing does in its children: there is no public way to end as an interpreter does after a fork.
    function: Callable[[], None] = vars(module)[name]
    return function


def write_lines_at_once() -> None:
    """Write each printed line when it ends: the log shows it in time, and before the error that follows it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True)


def flush_output() -> None:
    """Write what is buffered; what cannot be written is dropped: no one reads it, or there is no room."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            continue
