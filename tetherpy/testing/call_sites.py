"""Call sites in the code of a test or an app."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from types import FrameType

import attrs

_LIBRARY = str(Path(__file__).parents[1])
_STANDARD = str(Path(sys.modules["os"].__file__ or "").parent)
_SITE_PACKAGES = "site-packages"


@attrs.frozen
class Site:
    """A line of code, and its function if known."""

    file: str
    line: int
    function: str = ""

    def __str__(self) -> str:
        path = Path(self.file)
        shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
        return f"{shown}:{self.line}" + (f" in {self.function}" if self.function else "")

    @classmethod
    def of_frame(cls, frame: FrameType) -> Site:
        """Return the site of a frame."""
        return cls(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_qualname)


def calling_site() -> Site | None:
    """Return the innermost line outside this library, the standard library and installed packages."""
    frame: FrameType | None = inspect.currentframe()
    while frame is not None:
        if not _is_foreign(frame.f_code.co_filename):
            return Site.of_frame(frame)
        frame = frame.f_back
    return None


def _is_foreign(file: str) -> bool:
    return file.startswith(("<", _LIBRARY, _STANDARD)) or _SITE_PACKAGES in file
