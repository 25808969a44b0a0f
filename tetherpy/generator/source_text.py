"""The text of a settings file, and positions in it for errors."""

from __future__ import annotations

import re
from pathlib import Path

import attrs

from .errors import SettingsError, SettingsMissingError

LARGEST_FILE = 64 * 1024
"""Maximum size of a settings file in bytes."""

_NOT_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


@attrs.frozen
class Source:
    """The path and text of a file."""

    path: Path
    text: str

    def at(self, line: int, column: int) -> Place:
        """Return a place; line and column count from 0, as in ruamel.yaml."""
        return Place(self, line + 1, column + 1)

    def after(self, length: int) -> Place:
        """Return the place after ``length`` characters."""
        before = self.text[:length]
        return self.at(before.count("\n"), length - before.rfind("\n") - 1)


@attrs.frozen
class Place:
    """A place in a file; ``line`` and ``column`` count from 1."""

    source: Source = attrs.field(repr=False, eq=False)
    line: int
    column: int

    @property
    def text(self) -> str:
        """Return the whole line."""
        return (self.source.text.split("\n")[self.line - 1 : self.line] or [""])[0]

    def error(self, problem: str) -> SettingsError:
        """Return an error for this place."""
        return SettingsError(self.source.path, self.line, self.column, problem, self.text.rstrip())


def read_source(path: Path) -> Source:
    """Read a file as UTF-8, line ends normalized to ``\\n``.

    Raises ``SettingsMissingError`` for a missing file, ``SettingsError`` if it is too large or not plain text, and
    ``OSError`` if it cannot be read.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except FileNotFoundError as error:
        raise SettingsMissingError(path) from error
    if len(content) > LARGEST_FILE:
        raise Source(path, "").at(0, 0).error(f"The file is larger than {LARGEST_FILE:,} bytes. Is it the right file?")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        readable = Source(path, content[: error.start].decode("utf-8-sig", "ignore"))
        raise readable.after(len(readable.text)).error("Not valid UTF-8. Save the file as UTF-8.") from error
    source = Source(path, text.replace("\r\n", "\n").replace("\r", "\n"))
    if (strange := _NOT_TEXT.search(source.text)) is not None:
        raise source.after(strange.start()).error(f"The character {strange[0]!r} is not allowed. Remove it.")
    return source
