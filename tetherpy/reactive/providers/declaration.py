"""Checks of the function that a provider is declared with."""

from __future__ import annotations

from inspect import CO_ASYNC_GENERATOR, CO_GENERATOR, CO_VARARGS
from types import FunctionType
from typing import Any, Final

from ..errors import DeclarationError, NotCallableError
from ..lifecycle.callbacks import flags_of

MISSING: Final[Any] = object()
"""Marks a declaration without a function."""

YIELDS: Final = CO_GENERATOR | CO_ASYNC_GENERATOR
"""Code flags of functions that contain ``yield``."""

WITH_YIELD: Final = (
    "its function has a `yield`, so it would return a generator object instead of a value. Return the value; to "
    "clean up use `ref.on_dispose(close)` or `return ref.enter(manager)` (`await ref.enter_async(manager)`)."
)
WITH_ASYNC_YIELD: Final = "its function is an async generator. Declare it with StreamProvider, or return one value."


def check_create(subject: object, create: Any, *, streams: bool) -> None:
    """Check the function with which a provider or family is declared or overridden.

    Args:
        subject: the provider or family, for the message.
        create: its function, or the class of a notifier.
        streams: whether an async generator is accepted.

    Raises:
        DeclarationError: the function is missing, cannot be called, or contains ``yield``.
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


def check_takes_ref(kind: type[object], function: FunctionType) -> None:
    """Check that the function of a provider can be called with a Ref alone.

    Raises:
        DeclarationError: it takes no argument, or more than one.
    """
    code = function.__code__
    required = code.co_argcount - len(function.__defaults__ or ())
    if required > 1:
        advice = f"A provider is called with ref alone; with arguments it is a family: @{kind.__name__}.family."
    elif code.co_argcount == 0 and not code.co_flags & CO_VARARGS:
        advice = "A provider is called with ref: write `lambda ref: ...`, or `def name(ref: Ref)`."
    else:
        return
    raise DeclarationError(kind.__name__, function, f"{function!r} takes {required or 'no'} arguments. {advice}")


def check_replacement(subject: object, create: Any, *, streams: bool) -> None:
    """Check the function of an override, as ``check_create`` does.

    Raises:
        NotCallableError: the function cannot be called.
        DeclarationError: the function contains ``yield``.
    """
    if not callable(create):
        raise NotCallableError(subject, create)
    check_create(subject, create, streams=streams)


def _name(subject: object) -> str:
    return str(getattr(subject, "__name__", subject))
