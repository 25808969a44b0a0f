"""The arguments of a family's members: when two calls mean the same provider."""

from __future__ import annotations

from types import NoneType
from typing import Any, Final, TypeAlias, cast

from tetherpy.errors import safe_repr

Arguments: TypeAlias = tuple[tuple[Any, ...], tuple[tuple[str, Any], ...]]
"""What a family was called with: positional arguments, then pairs of keyword and value."""


PLAIN: Final = frozenset({int, str, bytes, NoneType})
"""Types of which no two have values that are equal: what else equals one of theirs gets a key with its type."""

_CONTAINERS: Final = (tuple, frozenset)


def key_of(args: tuple[Any, ...], kwargs: tuple[tuple[str, Any], ...] = ()) -> object:
    """Return what equals the key of another call only if the arguments are equal and of the same types.

    ``1 == 1.0 == True``, and a member for one of them would answer for the others; types inside tuples and
    frozensets count too. Positional arguments that are all PLAIN, or tuples of such, are the key themselves.
    """
    if kwargs:
        return args, _types(args), kwargs, _types(kwargs)
    for value in args:
        if type(value) in PLAIN:
            continue
        if type(value) is not tuple:
            return args, _types(args), None
        for part in cast("tuple[object, ...]", value):
            if type(part) not in PLAIN:
                return args, _types(args), None
    return args


def _types(values: tuple[object, ...]) -> tuple[object, ...]:
    return tuple([_type(value) if issubclass(type(value), _CONTAINERS) else type(value) for value in values])


def _type(value: object) -> object:
    kind: object = type(value)
    if not issubclass(type(value), _CONTAINERS):
        return kind
    if issubclass(type(value), tuple):
        return kind, _types(cast("tuple[object, ...]", value))
    return kind, frozenset((one, _type(one)) for one in cast("frozenset[object]", value))


def text_of(arguments: Arguments) -> str:
    """Return the arguments as they are written in a call."""
    args, kwargs = arguments
    return f"({', '.join([*map(safe_repr, args), *(f'{name}={safe_repr(value)}' for name, value in kwargs)])})"
