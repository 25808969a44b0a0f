"""Keys of family arguments: they decide which calls return the same provider."""

from __future__ import annotations

from types import NoneType
from typing import Any, Final, TypeAlias, cast

from tetherpy.errors import safe_repr

Arguments: TypeAlias = tuple[tuple[Any, ...], tuple[tuple[str, Any], ...]]
"""The arguments of a family's call: positional arguments, then pairs of keyword and value."""


PLAIN: Final = frozenset({int, str, bytes, NoneType})
"""Types whose values never equal a value of another type in this set; values of other types get a key with the type."""

_CONTAINERS: Final = (tuple, frozenset)


def key_of(args: tuple[Any, ...], kwargs: tuple[tuple[str, Any], ...] = ()) -> object:
    """Return a key that is equal for two calls only if their arguments are equal and have the same types.

    Types matter because ``1 == 1.0 == True``; types inside tuples and frozensets are compared too. Positional
    arguments that are all of PLAIN types, or tuples of them, are used as the key themselves.
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
    """Return the arguments as source text, such as ``(1, unit='kg')``."""
    args, kwargs = arguments
    return f"({', '.join([*map(safe_repr, args), *(f'{name}={safe_repr(value)}' for name, value in kwargs)])})"
