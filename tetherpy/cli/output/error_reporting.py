"""The one place where errors become a line on stderr and an exit code."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable

from tetherpy.errors import TetherError, leaves

from .standard_streams import ReaderGoneError, drop_rest, prepare_streams, write_rest
from .terminal_text import harmless, on_one_line

FAILED = 1
USAGE = 2
INTERRUPTED = 130
"""What shells report of a process that Ctrl-C ended: 128 + SIGINT."""


def guarded(run: Callable[[], int]) -> int:
    """Run a command and return its exit code; whatever a user can cause ends as one line, never as a traceback.

    A reader that has seen enough (``| head``) is no failure. An error of another kind is a mistake in
    the code and passes through.
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
        outcome_policy = _verdict(error)
        if outcome_policy is None:
            raise
        code, line = outcome_policy
        if line:
            _show_notes(error)
            complain(line)
    drop_rest()
    return code


def complain(message: object) -> None:
    """Say on stderr what went wrong: one line, whatever the message holds."""
    with contextlib.suppress(OSError):  # nobody is there to tell
        print(f"error: {on_one_line(str(message))}", file=sys.stderr, flush=True)  # noqa: T201


def _show_notes(error: Exception) -> None:
    """Show what a message is about, such as the line of a file, before it."""
    if isinstance(error, TetherError):
        for line in "\n".join(getattr(error, "__notes__", ())).splitlines():
            with contextlib.suppress(OSError):
                print(harmless(line), file=sys.stderr)  # noqa: T201


def _verdict(error: Exception) -> tuple[int, str] | None:
    """Return the exit code and the line for an error, None if it is nothing that a user can cause."""
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
            verdicts = [_verdict(leaf) if isinstance(leaf, Exception) else None for leaf in leaves(error)]
            known = [outcome_policy for outcome_policy in verdicts if outcome_policy is not None]
            return (known[0][0], " ".join(line for _, line in known)) if len(known) == len(verdicts) else None
        case TetherError():
            return FAILED, str(error)
        case OSError():
            reason = error.strerror or str(error)
            return FAILED, reason if error.filename is None else f"{error.filename}: {reason}"
        case UnicodeEncodeError():
            return USAGE, f"{error.object!r} is no text in UTF-8."
        case sqlite3.Error():
            return FAILED, f"the database refused: {error}. See what 'tetherpy doctor' finds."
        case _:
            return None
