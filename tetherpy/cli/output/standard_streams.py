"""The standard streams: what stands in for one that was closed from the start, and how writing to them fails."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Generator

_ACCESS = {"stdin": ("r", os.O_RDONLY), "stdout": ("w", os.O_RDONLY), "stderr": ("w", os.O_WRONLY)}
"""How the null device stands in for each: nothing is read, no result can be written, and remarks reach nobody."""


class ReaderGoneError(Exception):
    """Whoever reads what a command prints has seen enough."""


def prepare_streams() -> None:
    """Open the null device for each stream that is closed (``>&-``), and have none fail for a character.

    Else a file that is opened later would get the number of a closed stream, and be written to by whoever knows the
    number alone. Results that go to a closed stdout are lost, so that is an ``OSError`` as with any other program.
    """
    for name, (mode, access) in _ACCESS.items():
        if getattr(sys, name) is None:
            stand_in = open(os.open(os.devnull, access), mode, encoding="utf-8")  # noqa: SIM115
            setattr(sys, name, stand_in)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A character that the terminal's encoding lacks must not end a command.
            stream.reconfigure(errors="backslashreplace")


@contextlib.contextmanager
def writing(place: str = "stdout") -> Generator[None]:
    """Have an ``OSError`` that names no file name the place; a pipe without a reader is a ``ReaderGoneError``."""
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGoneError from error
    except OSError as error:
        if error.filename is None:
            error.filename = place
        raise


def write_rest() -> None:
    """Write what stdout still holds: at the interpreter's end it would be too late to say that it failed."""
    with writing():
        sys.stdout.flush()


def drop_rest() -> None:
    """Send nowhere what stdout still holds and cannot be written: the interpreter would try again, and complain."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
