"""Errors of the bindings."""

from __future__ import annotations

from tetherpy.errors import TetherError


class UiError(TetherError):
    """Base of the errors of the bindings."""


class WatcherClosedError(UiError):
    """Raised when a closed Watcher is used.

    Attributes:
        watcher: the closed watcher.
    """

    def __init__(self, watcher: object) -> None:
        super().__init__(
            f"{watcher!r} is closed, because what it watched for is gone: it watches nothing any more. "
            "Use container.read for a value that is needed once, or make a new Watcher."
        )
        self.watcher = watcher


class BuildWithinBuildError(UiError):
    """Raised when a build of a Watcher begins before its last one has ended.

    Attributes:
        watcher: the watcher that is being built.
    """

    def __init__(self, watcher: object) -> None:
        super().__init__(
            f"{watcher!r} is being built already: it could not tell what either build had watched. "
            "Let one build end before the next, or give each its own Watcher."
        )
        self.watcher = watcher
