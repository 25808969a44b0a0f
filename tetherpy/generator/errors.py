"""Every error of the generator."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tetherpy.errors import TetherError

_SHOWN = 100  # characters of a line


class GeneratorError(TetherError):
    """Something about generating went wrong; nothing was written."""


class SettingsMissingError(GeneratorError):
    """There is no ``tether.yaml`` where one was looked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"There is no {str(path)!r}. Name another with --config, or begin an app: tetherpy init.")


class SettingsError(GeneratorError):
    """A ``tether.yaml`` says something that cannot be followed.

    ``line`` and ``column`` count from 1, as editors do; ``text`` is that line. A note shows the line, with a mark
    below the place.
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


class NothingToGenerateError(GeneratorError):
    """The settings ask for nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(
            f"{path} asks for nothing to be generated. Set generation.background_services.enabled to true in it."
        )


class FilesDifferError(GeneratorError):
    """Files are not what the settings say."""

    def __init__(self, paths: Sequence[Path], settings: Path) -> None:
        self.paths = tuple(paths)
        self.settings = settings
        named = ", ".join(map(str, paths))
        super().__init__(
            f"{named} {'differs' if len(paths) == 1 else 'differ'} from what {settings} says. "
            "Run tetherpy generate, and check in what it writes."
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


class ModuleHiddenError(GeneratorError):
    """The package would have the name of a module, which nobody could import any more."""

    def __init__(self, module: Path) -> None:
        self.module = module
        super().__init__(
            f"{module} is there, and a package {module.stem!r} would hide it. Rename one of the two: the package is "
            "generation.background_services.package."
        )


class FilesExistError(GeneratorError):
    """A new app would overwrite files."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = tuple(paths)
        named = ", ".join(map(str, paths))
        super().__init__(f"{named} {'is' if len(paths) == 1 else 'are'} there already. Name an empty folder.")


def _excerpt(text: str, column: int) -> str:
    """Return a line, of a long one the part around the place, and a mark below it."""
    start = max(0, column - _SHOWN // 2) if len(text) > _SHOWN else 0
    return f"    {text[start : start + _SHOWN]}\n    {' ' * (column - 1 - start)}^"
