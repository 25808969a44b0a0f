"""What people see: one module or folder per toolkit, each behind an extra, all built on one ``Watcher``.

The toolkits are imported by their own names (``tetherpy.ui.textual``, ``tetherpy.ui.web``), so that none is loaded
unless it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .errors import BuildWithinBuildError, UiError, WatcherClosedError
    from .watcher import Watcher

__all__ = ["BuildWithinBuildError", "UiError", "Watcher", "WatcherClosedError"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "watcher" if name == "Watcher" else "errors"
    value: object = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value
