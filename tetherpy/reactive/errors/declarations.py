"""Errors of arguments: declarations, callbacks, family arguments, pickling."""

from __future__ import annotations

from pickle import PicklingError

from tetherpy.errors import ArgumentError, message

from .base import ReactiveError


@message("{subject}: {problem}")
class DeclarationError(ReactiveError, TypeError):
    """Raised when a provider or a class is declared in a way that cannot work.

    Attributes:
        given: the object given as the function of a provider, None if it is missing; or the notifier or class.
    """

    subject: object
    given: object
    problem: str


class ReactiveArgumentError(ReactiveError, ArgumentError):
    """Raised when a parameter has a wrong type or is out of its bounds."""


@message("{family!r}: {reason!c}. Give the arguments of its function without ref.")
class FamilyArgumentsError(ReactiveError, TypeError):
    """Raised when the arguments of a family do not match the parameters of its function.

    Attributes:
        family: the family.
        reason: the mismatch.
    """

    family: object
    reason: str


@message("{given!r} cannot be {use}. {remedy}")
class NotAProviderError(ReactiveError, TypeError):
    """Raised when another object is given where a provider is needed.

    Attributes:
        given: the object.
    """

    given: object
    use: str
    remedy: str


@message(
    "{callback!r} is async, and callbacks are called but not awaited, so its body would never run. Give a "
    "plain function that starts a task (`ref.create_task(save(value))`, `asyncio.create_task(save(value))`), "
    "or iterate with `async for value in container.stream(provider)`."
)
class AsyncCallbackError(ReactiveError, TypeError):
    """Raised when a synchronous callback is ``async`` or returns a coroutine.

    Attributes:
        callback: the callback.
    """

    callback: object


@message(
    "{provider!r} cannot be pickled: a pickle stores the module and name of a provider, and this one is not a "
    "global name of any loaded module. Declare it at the top level of a module, or send an identifier instead."
)
class UnnamedProviderError(ReactiveError, PicklingError):
    """Raised by pickling a provider that is not a global name of a module.

    Attributes:
        provider: the provider.
    """

    provider: object


@message(
    "{family!r} was given {argument}={value!r}, and {value.__class__.__name__} is not hashable: the "
    "family could not find the same provider again. Pass a tuple, a frozenset or a frozen dataclass instead."
)
class UnhashableArgumentError(ReactiveError, TypeError):
    """Raised when a family is given an argument that cannot be hashed.

    Attributes:
        family: the family.
        argument: the name of the argument.
    """

    family: object
    argument: str
    value: object


@message(
    "{provider!r} has no state that a History can set. It follows StateProvider and "
    "NotifierProvider: a derived or asynchronous value changes with what it is made from, so give those "
    "providers; of a family give its members."
)
class NotUndoableError(ReactiveError, TypeError):
    """Raised when a history is given something whose state it cannot set.

    Attributes:
        provider: the provider or family.
    """

    provider: object
