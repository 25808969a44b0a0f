"""Errors of offline persistence."""

from __future__ import annotations

from typing import Any

from tetherpy.errors import message, safe_repr

from .base import ReactiveError


class DuplicatePersistKeyError(ReactiveError):
    """Reported when two live providers persist under the same key.

    Attributes:
        key: the key.
        providers: both providers.
    """

    def __init__(self, key: object, providers: tuple[Any, Any]) -> None:
        first, second = providers
        super().__init__(
            f"{first!r} and {second!r} both persist under the key {safe_repr(key)}: each would read the data of the "
            "other. Give each provider a different key; in a family, include the arguments in the key."
        )
        self.key = key
        self.providers = providers


@message(
    "The data under {key!r} has version {stored}, and this app reads version {version}. It was "
    "stored by a newer app. It is kept, and changes are not stored: start the newer app, or delete the data."
)
class NewerDataError(ReactiveError):
    """Reported when a newer version of the app has stored data; it is kept, and nothing is written over it.

    Attributes:
        key: the key of the data.
        stored: the version of the stored data.
        version: the version that this app reads.
    """

    key: object
    stored: int
    version: int
