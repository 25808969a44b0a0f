"""The log of one attempt: its first and its newest lines, within bounds."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime

import attrs

from tetherpy.jobs import Claim
from tetherpy.safe_text import plain

FIRST_LINES = 100
LINES = 500
FIRST_BYTES = 8_000
BYTES = 32_000
"""Bounds of the log of one attempt; after the first lines it keeps the newest ones."""
LINE_CHARACTERS = 2_000
"""A longer line is truncated at its end."""
RECORD_CHARACTERS = 16_000
"""Maximum characters of one record, which may have several lines, such as a traceback."""


def _nothing(log: AttemptLog) -> None:
    pass


@attrs.define(eq=False)
class AttemptLog:
    """The lines that the handler of one attempt logs and prints, from any thread.

    ``on_unsaved`` is called with the first line after the start and after each call of ``text_to_save``.
    """

    claim: Claim
    captures: bool = False
    on_unsaved: Callable[[AttemptLog], None] = _nothing
    partial_lines: dict[str, list[str]] = attrs.field(init=False, factory=dict[str, list[str]])
    """Printed text without a line break yet, by stream."""
    lock: threading.Lock = attrs.field(init=False, factory=threading.Lock)
    _pid: int = attrs.field(init=False, factory=os.getpid)
    _first: list[str] = attrs.field(init=False, factory=list[str])
    _first_bytes: int = attrs.field(init=False, default=0)
    _newest: deque[str] = attrs.field(init=False, factory=deque[str])
    _newest_bytes: int = attrs.field(init=False, default=0)
    _left_out: int = attrs.field(init=False, default=0)
    _unsaved: bool = attrs.field(init=False, default=False)

    @property
    def fields(self) -> dict[str, int | str]:
        """Return the fields that each record of the attempt gets."""
        return {"job_id": self.claim.id, "job_key": self.claim.job.job_key, "attempt": self.claim.attempt}

    @property
    def is_here(self) -> bool:
        """Tell whether this is the process of the worker, not a fork made by the handler."""
        return os.getpid() == self._pid

    def add(self, created: float, level: str, source: str, text: str) -> None:
        """Add a text with its time (seconds since 1970); its second and later lines are indented.

        Control characters are escaped: the text is harmless on a terminal and a page, and both engines can store it.
        """
        if not self.captures or not self.is_here:
            return
        moment = datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        first, *others = plain(text, RECORD_CHARACTERS).split("\n")
        with self.lock:
            self._add(f"{moment}Z {level} {source}: {first}")
            for line in others:
                self._add(f"    {line}")
            is_first, self._unsaved = not self._unsaved, True
        if is_first:
            self.on_unsaved(self)

    def close(self) -> str | None:
        """Ignore what follows, and return the text; None without a line."""
        text = self.text
        self.captures = False
        return text

    def text_to_save(self) -> str | None:
        """Return the text, and treat it as saved."""
        self._unsaved = False
        return self.text

    @property
    def text(self) -> str | None:
        """Return the lines; None without one."""
        if not self._first and not self._newest:
            return None
        with self.lock:
            left_out = [f"... {self._left_out:,} lines left out ..."] if self._left_out else []
            return "\n".join([*self._first, *left_out, *self._newest])

    def _add(self, line: str) -> None:
        line = line if len(line) <= LINE_CHARACTERS else line[: LINE_CHARACTERS - 1] + "…"
        size = len(line.encode()) + 1
        if not self._newest and len(self._first) < FIRST_LINES and self._first_bytes + size <= FIRST_BYTES:
            self._first.append(line)
            self._first_bytes += size
            return
        self._newest.append(line)
        self._newest_bytes += size
        while len(self._newest) > LINES - FIRST_LINES or self._newest_bytes > BYTES - FIRST_BYTES:
            self._newest_bytes -= len(self._newest.popleft().encode()) + 1
            self._left_out += 1


current_attempt: ContextVar[AttemptLog | None] = ContextVar("tetherpy_current_attempt", default=None)
"""The log of the attempt whose handler runs in this context; ``asyncio.to_thread`` and tasks copy it."""
