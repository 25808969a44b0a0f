"""Errors of the generator."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tetherpy.errors import TetherError, message

_SHOWN = 100  # characters in a line


class GeneratorError(TetherError):
    """Generating failed; nothing was written."""


@message("There is no {path!q}. Pass another path with --config, or create an app: tetherpy init.")
class SettingsMissingError(GeneratorError):
    """There is no ``tether.yaml`` at the path."""

    path: Path


class SettingsError(GeneratorError):
    """A ``tether.yaml`` contains an error.

    ``line`` and ``column`` count from 1; ``text`` is the line. A note shows the line with a mark below the column.
    """

    def __init__(self, path: Path, line: int, column: int, problem: str, text: str) -> None:
        self.path = path
        self.line = line
        self.column = column
        self.problem = problem
        self.text = text
        super().__init__(f"{path}:{line}:{column}: {problem}")
        if text:
            self.add_note(_excerpt(text, column))


class SettingValueError(GeneratorError, ValueError):
    """Raised when a setting has a value that it cannot have."""

    def __init__(self, value: object, problem: str) -> None:
        self.value = value
        super().__init__(problem)


@message("{path} enables nothing to generate. Set generation.background_services.enabled to true.")
class NothingToGenerateError(GeneratorError):
    """The settings enable nothing."""

    path: Path


class FilesDifferError(GeneratorError):
    """Files differ from the generated sources."""

    def __init__(self, paths: Sequence[Path], settings: Path) -> None:
        self.paths = tuple(paths)
        self.settings = settings
        named = ", ".join(map(str, paths))
        super().__init__(
            f"{named} {'differs' if len(paths) == 1 else 'differ'} from the sources generated from {settings}. "
            "Run tetherpy generate, and commit the result."
        )


class FilesEditedError(GeneratorError):
    """Files that would be overwritten or removed contain edits."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = tuple(paths)
        named = ", ".join(map(str, paths))
        super().__init__(
            f"{named} {'was' if len(paths) == 1 else 'were'} not written by tetherpy generate, or edited since. "
            "Nothing was changed. Move the edits elsewhere, then overwrite with --force."
        )


@message(
    "{module} exists, and a package {module.stem!r} would hide it. Rename the module, or the package: set "
    "generation.background_services.package."
)
class ModuleHiddenError(GeneratorError):
    """A module with the name of the package exists; the package would hide it."""

    module: Path


class FilesExistError(GeneratorError):
    """A new app would overwrite existing files."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = tuple(paths)
        named = ", ".join(map(str, paths))
        super().__init__(f"{named} already {'exists' if len(paths) == 1 else 'exist'}. Choose an empty folder.")


def _excerpt(text: str, column: int) -> str:
    """Return a line, truncated around the column if long, and a mark below the column."""
    start = max(0, column - _SHOWN // 2) if len(text) > _SHOWN else 0
    return f"    {text[start : start + _SHOWN]}\n    {' ' * (column - 1 - start)}^"
