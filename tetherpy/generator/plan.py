"""What generating would change on disk, and doing it: all of it, or nothing if somebody's work would be lost."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path, PurePosixPath

import attrs

from .errors import FilesEditedError, ModuleHiddenError
from .file_replacement import put_in_place
from .generated_marker import is_stamped, is_untouched


class ChangeKind(StrEnum):
    """What happens to a file."""

    CREATED = "created"
    UPDATED = "updated"
    REMOVED = "removed"
    UNCHANGED = "unchanged"


@attrs.frozen
class Change:
    """One file: its path, what is there and what should be; None is no file."""

    path: Path
    before: str | None
    after: str | None

    @property
    def kind(self) -> ChangeKind:
        """Return what happens to the file."""
        if self.before == self.after:
            return ChangeKind.UNCHANGED
        if self.before is None:
            return ChangeKind.CREATED
        return ChangeKind.REMOVED if self.after is None else ChangeKind.UPDATED

    @property
    def loses_work(self) -> bool:
        """Tell whether what is there was not generated, or was edited since."""
        return self.kind in (ChangeKind.UPDATED, ChangeKind.REMOVED) and not is_untouched(self.before or "")

    @property
    def diff(self) -> str:
        """Return the difference as ``diff -u`` has it."""
        lines = difflib.unified_diff(
            (self.before or "").splitlines(keepends=True),
            (self.after or "").splitlines(keepends=True),
            str(self.path),
            str(self.path),
        )
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


@attrs.frozen
class Plan:
    """All files that are generated, or were and are not any more."""

    changes: tuple[Change, ...]

    @classmethod
    def make(cls, folder: Path, sources: Mapping[PurePosixPath, str]) -> Plan:
        """Compare what should be below a folder with what is there.

        A generated file beside the others that is not among them is to be removed. Raises ``ModuleHiddenError`` if a
        module has the name of the package, and ``OSError`` if a file cannot be read.
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
        """Return the files that are not as they should be."""
        return tuple(change for change in self.changes if change.kind is not ChangeKind.UNCHANGED)

    @property
    def losing_work(self) -> tuple[Change, ...]:
        """Return the files in which somebody's work would be lost."""
        return tuple(change for change in self.changes if change.loses_work)

    def apply(self, *, force: bool = False) -> None:
        """Write and remove files.

        Raises ``FilesEditedError``, unless ``force``, if that would lose work, and ``OSError`` if a file cannot be
        written; then nothing has changed.
        """
        if self.losing_work and not force:
            raise FilesEditedError([change.path for change in self.losing_work])
        put_in_place({change.path: change.after for change in self.differing})


def _read(path: Path) -> str | None:
    try:
        # What is no UTF-8 was not generated: replaced characters differ from whatever should be there.
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
