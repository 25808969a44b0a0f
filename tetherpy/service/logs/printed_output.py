"""The standard streams of a worker: what a handler prints gets the fields of its job, and is captured."""

from __future__ import annotations

import io
import logging
import sys
from typing import cast

from ..protocol.settings import LogFormat
from .attempt_log import AttemptLog, current_attempt
from .formats import formatter_of
from .records import is_handling_record

PARTIAL_CHARACTERS = 64_000
"""A line is written in parts of this length if no line break comes before."""
PARTS_JOINED_AT = 64


class JobOutput(io.TextIOWrapper):
    """Replace a standard stream; text from outside of jobs is written unchanged, in JSON as a record too.

    Text of a job is written by the line, in the format of the log. Output of log handlers is written unchanged. What
    is written to ``buffer``, or by subprocesses, has no fields.
    """

    def __init__(self, stream: io.TextIOWrapper, name: str, log_format: LogFormat) -> None:
        stream.flush()
        # A new buffer: the old one may have noted that the descriptor is a file, and it is a pipe now.
        buffer = open(stream.fileno(), "wb", closefd=False)  # noqa: SIM115 - open as long as the process
        super().__init__(buffer, stream.encoding, "backslashreplace", line_buffering=True)
        self._name = name
        self._is_json = log_format == "json"
        self._formatter = formatter_of(log_format)
        self._outside: list[str] = []

    def write(self, text: str, /) -> int:
        """Write the complete lines, and keep the rest."""
        attempt = current_attempt.get()
        if is_handling_record():
            return super().write(text)
        if attempt is not None and attempt.is_here:
            with attempt.lock:
                lines = _complete(attempt.partial_lines.setdefault(self._name, []), text)
            for line in lines:
                self._print(line, attempt)
        elif self._is_json:
            for line in _complete(self._outside, text):
                self._print(line, attempt)
        else:
            super().write(text)
        return len(text)

    def end_line(self, attempt: AttemptLog) -> None:
        """Write what a job printed without a line break."""
        with attempt.lock:
            rest = "".join(attempt.partial_lines.pop(self._name, ()))
        if rest:
            self._print(rest, attempt)

    def _print(self, line: str, attempt: AttemptLog | None) -> None:
        line = line.removesuffix("\r").rpartition("\r")[2]  # a progress bar writes over its line
        fields = {} if attempt is None else attempt.fields
        record = logging.makeLogRecord({"name": self._name, "levelname": "INFO", "msg": line, **fields})
        if attempt is not None:
            attempt.add(record.created, "INFO", self._name, line)
        super().write(self._formatter.format(record) + "\n")


def _complete(rest: list[str], text: str) -> list[str]:
    """Return the lines that ``text`` completes; ``rest`` is what was printed before, and then what is left."""
    head, line_break, tail = text.rpartition("\n")
    lines: list[str] = []
    if line_break:
        lines = ("".join(rest) + head).split("\n")
        rest.clear()
    if tail:
        rest.append(tail)
    if len(rest) > PARTS_JOINED_AT or len(tail) > PARTIAL_CHARACTERS:
        rest[:] = ["".join(rest)]
        if len(rest[0]) > PARTIAL_CHARACTERS:
            lines.append(rest.pop())
    return lines


def replace_standard_streams(log_format: LogFormat) -> None:
    """Replace stdout and stderr of this process, as far as they are files."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            setattr(sys, name, JobOutput(cast("io.TextIOWrapper", stream), name, log_format))


def end_lines(attempt: AttemptLog) -> None:
    """Write what a job printed to the standard streams without a line break."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, JobOutput) and attempt.partial_lines:
            stream.end_line(attempt)
