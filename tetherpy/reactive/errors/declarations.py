"""Errors of arguments: declarations, callbacks, family arguments, pickling."""

from __future__ import annotations

from pickle import PicklingError

from tetherpy.errors import ArgumentError, clause, safe_repr

from .base import ReactiveError


class DeclarationError(ReactiveError, TypeError):
    """Raised when a provider or a class is declared in a way that cannot work.

    Attributes:
        given: the object given as the function of a provider, None if it is missing; or the notifier or class.
    """

    def __init__(self, subject: object, given: object, problem: str) -> None:
        super().__init__(f"{subject}: {problem}")
        self.given = given


class ReactiveArgumentError(ReactiveError, ArgumentError):
    """Raised when a parameter has a wrong type or is out of its bounds."""


class FamilyArgumentsError(ReactiveError, TypeError):
    """Raised when the arguments of a family do not match the parameters of its function.

    Attributes:
        family: the family.
        reason: the mismatch.
    """

    def __init__(self, family: object, reason: str) -> None:
        super().__init__(f"{family!r}: {clause(reason)}. Give the arguments of its function without ref.")
        self.family = family
        self.reason = reason


class NotAProviderError(ReactiveError, TypeError):
    """Raised when another object is given where a provider is needed.

    Attributes:
        given: the object.
    """

    def __init__(self, given: object, use: str, remedy: str) -> None:
        super().__init__(f"{safe_repr(given)} cannot be {use}. {remedy}")
        self.given = given


class AsyncCallbackError(ReactiveError, TypeError):
    """Raised when a synchronous callback is ``async`` or returns a coroutine.

    Attributes:
        callback: the callback.
    """

    def __init__(self, callback: object) -> None:
        super().__init__(
            f"{callback!r} is async, and callbacks are called but not awaited, so its body would never run. Give a "
            "plain function that starts a task (`ref.create_task(save(value))`, `asyncio.create_task(save(value))`), "
            "or iterate with `async for value in container.stream(provider)`."
        )
        self.callback = callback


class UnnamedProviderError(ReactiveError, PicklingError):
    """Raised by pickling a provider that is not a global name of a module.

    Attributes:
        provider: the provider.
    """

    def __init__(self, provider: object) -> None:
        super().__init__(
            f"{provider!r} cannot be pickled: a pickle stores the module and name of a provider, and this one is not a "
            "global name of any loaded module. Declare it at the top level of a module, or send an identifier instead."
        )
        self.provider = provider


class UnhashableArgumentError(ReactiveError, TypeError):
    """Raised when a family is given an argument that cannot be hashed.

    Attributes:
        family: the family.
        argument: the name of the argument.
    """

    def __init__(self, family: object, argument: str, value: object) -> None:
        super().__init__(
            f"{family!r} was given {argument}={safe_repr(value)}, and {type(value).__name__} is not hashable: the "
            "family could not find the same provider again. Pass a tuple, a frozenset or a frozen dataclass instead."
        )
        self.family = family
        self.argument = argument


class NotUndoableError(ReactiveError, TypeError):
    """Raised when a history is given something whose state it cannot set.

    Attributes:
        provider: the provider or family.
    """

    def __init__(self, provider: object) -> None:
        super().__init__(
            f"{safe_repr(provider)} has no state that a History can set. It follows StateProvider and "
            "NotifierProvider: a derived or asynchronous value changes with what it is made from, so give those "
            "providers; of a family give its members."
        )
        self.provider = provider
