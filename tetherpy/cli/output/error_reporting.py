"""Turn errors into a line on stderr and an exit code."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable

from tetherpy.errors import TetherError, clause, leaves

from .standard_streams import ReaderGoneError, drop_rest, prepare_streams, write_rest
from .terminal_text import harmless, on_one_line

FAILED = 1
USAGE = 2
INTERRUPTED = 130
"""The exit code of shells for a process that Ctrl-C ended: 128 + SIGINT."""


def guarded(run: Callable[[], int]) -> int:
    """Run a command and return its exit code; errors that users can cause are printed as one line, without a traceback.

    A closed pipe (``| head``) is not a failure. Other errors are bugs, and are raised.
    """
    prepare_streams()
    try:
        code = run()
        write_rest()
    except (BrokenPipeError, ReaderGoneError):
        code = 0
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception as error:
        reported = _report_of(error)
        if reported is None:
            raise
        code, line = reported
        if line:
            _show_notes(error)
            complain(line)
    drop_rest()
    return code


def complain(message: object) -> None:
    """Print an error to stderr on one line."""
    with contextlib.suppress(OSError):  # stderr is closed
        print(f"error: {on_one_line(str(message))}", file=sys.stderr, flush=True)  # noqa: T201


def _show_notes(error: Exception) -> None:
    """Print the notes of an error, such as the line of a file, before its message."""
    if isinstance(error, TetherError):
        for line in "\n".join(getattr(error, "__notes__", ())).splitlines():
            with contextlib.suppress(OSError):
                print(harmless(line), file=sys.stderr)  # noqa: T201


def _report_of(error: Exception) -> tuple[int, str] | None:
    """Return the exit code and the line for an error; None for a bug."""
    import sqlite3

    import typer

    match error:
        case typer.TyperException():
            context = getattr(error, "ctx", None)
            hint = "" if context is None else f" See '{context.command_path} --help'."
            message = error.format_message()
            return error.exit_code, message + ("" if message.endswith((".", "?")) else ".") + hint
        case typer.Abort():
            return INTERRUPTED, ""
        case ExceptionGroup():
            reports = [_report_of(leaf) if isinstance(leaf, Exception) else None for leaf in leaves(error)]
            known = [report for report in reports if report is not None]
            return (known[0][0], " ".join(line for _, line in known)) if len(known) == len(reports) else None
        case TetherError():
            return FAILED, str(error)
        case OSError():
            reason = error.strerror or str(error)
            return FAILED, reason if error.filename is None else f"{error.filename}: {reason}"
        case UnicodeEncodeError():
            return USAGE, f"{error.object!r} is not valid UTF-8."
        case sqlite3.Error():
            return FAILED, f"Database error: {clause(str(error))}. Run 'tetherpy doctor' for a diagnosis."
        case _:
            return None
