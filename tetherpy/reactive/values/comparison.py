"""Comparison of user values: decides whether a value has changed."""

from __future__ import annotations

import sys
from typing import Any, Final

from ..graph.element import NO_VALUE

_INHERITED_NE: Final[Any] = object.__ne__


def differs(previous: object, value: object) -> bool:
    """Return whether a value differs from the previous one; ``is_same`` has the rule."""
    if value is previous:
        return False
    try:
        return not is_same(previous, value, value != previous)
    except Exception:  # a comparison that raises
        return True


def is_same(previous: Any, value: Any, unequal: object) -> bool:
    """Return whether two values are the same, given the result of ``value != previous``.

    A comparison whose result is not a bool (NumPy arrays, ORM expressions) counts as a change.

    Raises:
        Exception: the exception that ``==`` of the values raises.
    """
    if not is_false(unequal) or previous is NO_VALUE:
        return False
    # The inherited != inverts the truth value of ==, even if == returned an expression: compare again with ==.
    return type(value).__ne__ is not _INHERITED_NE or _is_true(value == previous)


def is_false(result: object) -> bool:
    """Return whether the result of a comparison is the False of Python or NumPy."""
    return result is False or (result is not True and _is_numpy_bool(result) and not result)


def _is_true(result: object) -> bool:
    return result is True or (result is not False and _is_numpy_bool(result) and bool(result))


def _is_numpy_bool(result: object) -> bool:
    # A NumPy bool exists only if NumPy is imported.
    return isinstance(result, getattr(sys.modules.get("numpy"), "bool_", ()))
