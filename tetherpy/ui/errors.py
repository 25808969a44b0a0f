"""Errors of the bindings."""

from __future__ import annotations

from tetherpy.errors import TetherError, message


class UiError(TetherError):
    """Base of the errors of the bindings."""


@message(
    "{watcher!r} is closed: its owner was disposed. Use container.read to read a value once, or create a new Watcher."
)
class WatcherClosedError(UiError):
    """Raised when a closed Watcher is used.

    Attributes:
        watcher: the closed watcher.
    """

    watcher: object


@message(
    "{watcher!r} is being built already, and cannot keep the dependencies of two builds apart. "
    "End one build before the next, or give each its own Watcher."
)
class BuildWithinBuildError(UiError):
    """Raised when a build of a Watcher begins before its previous build has ended.

    Attributes:
        watcher: the watcher that is being built.
    """

    watcher: object


class FieldError(UiError, ValueError):
    """Raised for an invalid value in a form field.

    Attributes:
        field: the name of the field.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field
