"""The exit of a worker process: exit handlers with a time limit, and buffered output."""

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
    """Remove the exit handlers of the parent, which are for its exit; keep those of Python's modules."""
    _internal(atexit, "_clear")()
    atexit.register(logging.shutdown)
    if (util := sys.modules.get("multiprocessing.util")) is not None:
        atexit.register(util._exit_function)


def run_exit_handlers(code: int) -> None:
    """Run the exit handlers and end pools, as an interpreter does at its exit.

    After ``EXIT_SECONDS`` the process exits with ``code``, even if handlers still run.
    """
    bound = threading.Timer(EXIT_SECONDS, os._exit, (code,))
    bound.daemon = True
    bound.start()
    # In the order of the interpreter: first threads and pools, then the exit handlers.
    _internal(threading, "_shutdown")()
    _internal(atexit, "_run_exitfuncs")()
    bound.cancel()


def _internal(module: ModuleType, name: str) -> Callable[[], None]:
    # multiprocessing does the same in its children: there is no public API for the exit of a forked child.
    function: Callable[[], None] = vars(module)[name]
    return function


def write_lines_at_once() -> None:
    """Buffer output by line, so that the log shows it in time and in the right order."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True)


def flush_output() -> None:
    """Write buffered output; drop it if that fails, because the reader is gone or the disk is full."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            continue
