"""The text of a settings file, and places in it that errors point at."""

from __future__ import annotations

import re
from pathlib import Path

import attrs

from .errors import SettingsError, SettingsMissingError

LARGEST_FILE = 64 * 1024
"""Bytes; a longer file is none of ours."""

_NOT_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


@attrs.frozen
class Source:
    """A file that was read."""

    path: Path
    text: str

    def at(self, line: int, column: int) -> Place:
        """Return a place; both count from 0, as in what ruamel.yaml says."""
        return Place(self, line + 1, column + 1)

    def after(self, length: int) -> Place:
        """Return the place behind so many characters."""
        before = self.text[:length]
        return self.at(before.count("\n"), length - before.rfind("\n") - 1)


@attrs.frozen
class Place:
    """A place in a file; ``line`` and ``column`` count from 1, as in editors."""

    source: Source = attrs.field(repr=False, eq=False)
    line: int
    column: int

    @property
    def text(self) -> str:
        """Return the whole line."""
        return (self.source.text.split("\n")[self.line - 1 : self.line] or [""])[0]

    def error(self, problem: str) -> SettingsError:
        """Return an error about this place."""
        return SettingsError(self.source.path, self.line, self.column, problem, self.text.rstrip())


def read_source(path: Path) -> Source:
    """Read a file as UTF-8, line ends made ``\\n``.

    Raises ``SettingsMissingError`` if there is none, ``SettingsError`` if it is too long or no plain text, and
    ``OSError`` if it cannot be read.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except FileNotFoundError as error:
        raise SettingsMissingError(path) from error
    if len(content) > LARGEST_FILE:
        raise Source(path, "").at(0, 0).error(f"The file is longer than {LARGEST_FILE} bytes. Is it the right one?")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        readable = Source(path, content[: error.start].decode("utf-8-sig", "ignore"))
        raise readable.after(len(readable.text)).error("This is no UTF-8. Save the file as UTF-8.") from error
    source = Source(path, text.replace("\r\n", "\n").replace("\r", "\n"))
    if (strange := _NOT_TEXT.search(source.text)) is not None:
        raise source.after(strange.start()).error(f"A file of text has no {strange[0]!r}. Remove it.")
    return source
