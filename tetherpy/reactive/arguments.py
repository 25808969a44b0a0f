"""The arguments of a family's members: when two calls mean the same provider."""

from __future__ import annotations

from typing import Any, Final, TypeAlias, cast

from tetherpy.errors import safe_repr

Arguments: TypeAlias = tuple[tuple[Any, ...], tuple[tuple[str, Any], ...]]
"""What a family was called with: positional arguments, then pairs of keyword and value."""


_PLAIN: Final = frozenset({int, str, bytes, type(None)})
"""Types of which no two have values that are equal: what else equals one of theirs gets a key with its type."""


def key_of(arguments: Arguments) -> object:
    """Return what equals the key of another call only if the arguments are equal and of the same types.

    ``1 == 1.0 == True``, and a member for one of them would answer for the others; types inside tuples and
    frozensets count too.
    """
    for value in arguments[0]:
        if type(value) not in _PLAIN:
            break
    else:
        if not arguments[1]:
            return arguments  # equal to no other key: those below have three parts
    return arguments, _types(arguments[0]), _types(arguments[1]) if arguments[1] else None


def _types(values: tuple[object, ...]) -> tuple[object, ...]:
    return tuple([_type(value) for value in values])


def _type(value: object) -> object:
    kind = type(value)
    if tuple in kind.__mro__:
        return kind, _types(cast("tuple[object, ...]", value))
    if frozenset in kind.__mro__:
        return kind, frozenset((one, _type(one)) for one in cast("frozenset[object]", value))
    return kind


def text_of(arguments: Arguments) -> str:
    """Return the arguments as they are written in a call."""
    args, kwargs = arguments
    return f"({', '.join([*map(safe_repr, args), *(f'{name}={safe_repr(value)}' for name, value in kwargs)])})"
