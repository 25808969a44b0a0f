"""The changes of a generator run, applied completely, or not at all if edits would be lost."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path, PurePosixPath

import attrs

from .errors import FilesEditedError, ModuleHiddenError
from .file_replacement import replace_files
from .generated_marker import is_stamped, is_untouched


class ChangeKind(StrEnum):
    """The kind of a change."""

    CREATED = "created"
    UPDATED = "updated"
    REMOVED = "removed"
    UNCHANGED = "unchanged"


@attrs.frozen
class Change:
    """One file: its path, its text on disk and its generated text; None for a missing file."""

    path: Path
    before: str | None
    after: str | None

    @property
    def kind(self) -> ChangeKind:
        """Return the kind of the change."""
        if self.before == self.after:
            return ChangeKind.UNCHANGED
        if self.before is None:
            return ChangeKind.CREATED
        return ChangeKind.REMOVED if self.after is None else ChangeKind.UPDATED

    @property
    def loses_work(self) -> bool:
        """Whether the change would overwrite or remove a file that was not generated or was edited."""
        return self.kind in (ChangeKind.UPDATED, ChangeKind.REMOVED) and not is_untouched(self.before or "")

    @property
    def diff(self) -> str:
        """Return the difference in the format of ``diff -u``."""
        lines = difflib.unified_diff(
            (self.before or "").splitlines(keepends=True),
            (self.after or "").splitlines(keepends=True),
            str(self.path),
            str(self.path),
        )
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


@attrs.frozen
class Plan:
    """The changes of all generated files, including files that are no longer generated."""

    changes: tuple[Change, ...]

    @classmethod
    def make(cls, folder: Path, sources: Mapping[PurePosixPath, str]) -> Plan:
        """Compare generated sources with the files below a folder.

        Generated files in the same package that are not among the sources are removed. Raises ``ModuleHiddenError`` if
        a module has the name of the package, and ``OSError`` if a file cannot be read.
        """
        wanted = {folder / path: text for path, text in sources.items()}
        packages = {path.parent for path in wanted}
        for package in packages:
            if (module := package.with_suffix(".py")).exists():
                raise ModuleHiddenError(module)
        there = {path: _read(path) for package in packages for path in package.glob("*.py")}
        stale = [path for path, text in there.items() if path not in wanted and is_stamped(text or "")]
        return cls(
            tuple(Change(path, there.get(path, _read(path)), wanted.get(path)) for path in sorted([*wanted, *stale]))
        )

    @property
    def differing(self) -> tuple[Change, ...]:
        """Return the changes that are not ``UNCHANGED``."""
        return tuple(change for change in self.changes if change.kind is not ChangeKind.UNCHANGED)

    @property
    def losing_work(self) -> tuple[Change, ...]:
        """Return the changes that would lose edits."""
        return tuple(change for change in self.changes if change.loses_work)

    def apply(self, *, force: bool = False) -> None:
        """Write and remove files.

        Raises ``FilesEditedError`` if edits would be lost, unless ``force``, and ``OSError`` if a file cannot be
        written. Nothing has changed then.
        """
        if self.losing_work and not force:
            raise FilesEditedError([change.path for change in self.losing_work])
        replace_files({change.path: change.after for change in self.differing})


def _read(path: Path) -> str | None:
    try:
        # Generated files are UTF-8: replacement characters make any other file differ.
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
