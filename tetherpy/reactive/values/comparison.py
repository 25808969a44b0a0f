"""When a value counts as changed: the one comparison of values that users give."""

from __future__ import annotations

import sys
from typing import Any, Final

from ..graph.element import NO_VALUE

_INHERITED_NE: Final[Any] = object.__ne__


def differs(previous: object, value: object) -> bool:
    """Whether a value is another than the one before; see ``is_same`` for what counts as a change."""
    if value is previous:
        return False
    try:
        return not is_same(previous, value, value != previous)
    except Exception:  # a comparison that raises
        return True


def is_same(previous: Any, value: Any, unequal: object) -> bool:
    """Whether two values are the same, given the result of ``value != previous``.

    A comparison that gives no plain bool (NumPy arrays, ORM expressions) counts as a change.

    Raises:
        Exception: what the ``==`` of the values raises.
    """
    if not is_false(unequal) or previous is NO_VALUE:
        return False
    # The != that every class inherits is the inverted truth of its ==, even where that gave an expression.
    return type(value).__ne__ is not _INHERITED_NE or _is_true(value == previous)


def is_false(result: object) -> bool:
    """Whether the result of a comparison is False, Python's or NumPy's."""
    return result is False or (result is not True and _is_numpy_bool(result) and not result)


def _is_true(result: object) -> bool:
    return result is True or (result is not False and _is_numpy_bool(result) and bool(result))


def _is_numpy_bool(result: object) -> bool:
    # Only a program that has imported NumPy can have made one.
    return isinstance(result, getattr(sys.modules.get("numpy"), "bool_", ()))
