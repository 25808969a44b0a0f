"""What a provider can be declared with: a function that returns its value."""

from __future__ import annotations

from inspect import CO_ASYNC_GENERATOR, CO_GENERATOR
from typing import Any, Final

from ..errors import DeclarationError
from ..graph.callbacks import flags_of

MISSING: Final[Any] = object()
"""Stands for the function where none is given."""

YIELDS: Final = CO_GENERATOR | CO_ASYNC_GENERATOR
"""The code flags of functions with a ``yield``."""

WITH_YIELD: Final = (
    "its function has a `yield`, and would give a generator object in the place of a value. Return the value; to "
    "clean up use `ref.on_dispose(close)` or `return ref.enter(manager)` (`await ref.enter_async(manager)`)."
)
WITH_ASYNC_YIELD: Final = "its function is an async generator. Declare it with StreamProvider, or return one value."


def check_create(subject: object, create: Any, *, streams: bool) -> None:
    """Check what a provider or family is declared, or overridden, with.

    Args:
        subject: what is declared, for the message.
        create: its function, or a notifier's class.
        streams: whether an async generator is right.

    Raises:
        DeclarationError: it is missing, cannot be called, or yields.
    """
    if create is MISSING:
        kind = getattr(subject, "__name__", subject)
        raise DeclarationError(
            f"{kind}()", None, f"the function is missing. Write @{kind}, or with options @{kind}.options(name=...)."
        )
    if not callable(create):
        raise DeclarationError(
            _name(subject), create, f"{create!r} cannot be called. Give a function that returns the value."
        )
    function = getattr(create, "build", None) if isinstance(create, type) else create
    flags = flags_of(function)
    if flags & CO_GENERATOR:
        raise DeclarationError(_name(subject), create, f"{function!r}: {WITH_YIELD}")
    if flags & CO_ASYNC_GENERATOR and not streams:
        raise DeclarationError(_name(subject), create, f"{function!r}: {WITH_ASYNC_YIELD}")


def _name(subject: object) -> str:
    return str(getattr(subject, "__name__", subject))
