"""The standard streams: replacements for closed ones, and errors of writing."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Generator

_ACCESS = {"stdin": ("r", os.O_RDONLY), "stdout": ("w", os.O_RDONLY), "stderr": ("w", os.O_WRONLY)}
"""How the null device replaces each stream. Writing results to stdout fails; remarks on stderr are discarded."""


class ReaderGoneError(Exception):
    """The reader of the output has closed the pipe."""


def prepare_streams() -> None:
    """Open the null device for each closed stream (``>&-``), and escape characters that cannot be encoded.

    Otherwise the next opened file would get the descriptor of the closed stream, and output could be written to it.
    Writing results to a closed stdout is an ``OSError``, as with other programs.
    """
    for name, (mode, access) in _ACCESS.items():
        if getattr(sys, name) is None:
            stand_in = open(os.open(os.devnull, access), mode, encoding="utf-8")  # noqa: SIM115
            setattr(sys, name, stand_in)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A character missing in the terminal's encoding must not end a command.
            stream.reconfigure(errors="backslashreplace")


@contextlib.contextmanager
def writing(place: str = "stdout") -> Generator[None]:
    """Add the place to an ``OSError`` without a file name; raise ``ReaderGoneError`` for a closed pipe."""
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGoneError from error
    except OSError as error:
        if error.filename is None:
            error.filename = place
        raise


def write_rest() -> None:
    """Flush stdout: at the interpreter's exit a failure could not be reported."""
    with writing():
        sys.stdout.flush()


def drop_rest() -> None:
    """Discard output that cannot be written: the interpreter would try again at exit, and print an error."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
