"""Every error of the generator."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tetherpy.errors import TetherError


class GeneratorError(TetherError):
    """Something about generating went wrong; nothing was written."""


class SettingsMissingError(GeneratorError):
    """There is no ``tether.yaml`` where one was looked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"There is no {str(path)!r}. Name another with --config, or begin an app: tetherpy init.")


class SettingsError(GeneratorError):
    """A ``tether.yaml`` says something that cannot be followed.

    ``line`` and ``column`` count from 1, as editors do.
    """

    def __init__(self, path: Path, line: int, column: int, problem: str) -> None:
        self.path = path
        self.line = line
        self.column = column
        self.problem = problem
        super().__init__(f"{path}:{line}:{column}: {problem}")


class NothingToGenerateError(GeneratorError):
    """The settings ask for nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(
            f"{path} asks for nothing to be generated. Set generation.background_services.enabled to true in it."
        )


class FilesEditedError(GeneratorError):
    """Files that would be overwritten or removed hold work of somebody else's."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = tuple(paths)
        named = ", ".join(map(str, paths))
        super().__init__(
            f"{named} {'was' if len(paths) == 1 else 'were'} not written by tetherpy generate, or edited since. "
            "Nothing was changed. Move the edits elsewhere, then overwrite with --force."
        )


class FilesExistError(GeneratorError):
    """A new app would overwrite files."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = tuple(paths)
        named = ", ".join(map(str, paths))
        super().__init__(f"{named} {'is' if len(paths) == 1 else 'are'} there already. Name an empty folder.")
