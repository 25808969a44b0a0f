"""Compact records of values for explanations: enough to show a value without keeping large objects in memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, cast
from weakref import ref

from ..asynchronous.async_value import AsyncValue
from ..graph.element import Change, Element
from .summary import LONGEST, brief

PLAIN: Final = frozenset({object, type(None), bool, int, float, complex})
"""Types whose values are small."""

MOST_ITEMS: Final = 8


class _Shown:
    """A weak reference to a value, shown while it is in memory."""

    __slots__ = ("_name", "_value")

    def __init__(self, value: Any) -> None:
        self._name = type(value).__name__
        try:
            self._value: ref[Any] | None = ref(value)
        except TypeError:
            self._value = None

    def __repr__(self) -> str:
        value = None if self._value is None else self._value()
        return f"<{self._name}, no longer in memory>" if value is None else brief(value)


class _Text:
    """A fixed text shown in place of a value."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


class _State:
    """A record of an AsyncValue."""

    __slots__ = ("_name", "_part")

    def __init__(self, state: AsyncValue[Any]) -> None:
        self._name = type(state).__name__
        self._part = _remembered(state.value if state.error is None else state.error)

    def __repr__(self) -> str:
        return f"{self._name}({self._part!r})"


def change_of(node: Element, previous: Any, value: Any) -> Change:
    """Return the record of a change, kept by the nodes that are rebuilt because of it."""
    return (
        node.provider,
        previous if type(previous) in PLAIN else _remembered(previous),
        value if type(value) in PLAIN else _remembered(value),
    )


def _remembered(given: object) -> Any:
    value = cast("Any", given)
    if isinstance(given, AsyncValue):
        return value if not value.has_error and _is_small(value.value) else _State(value)
    kind = type(given)
    if kind in (str, bytes):
        return value if len(value) <= LONGEST else _Text(brief(value))
    if kind in (tuple, list, set, frozenset):
        return _copy(value, value)
    if kind is dict:
        return _copy(value, (part for item in value.items() for part in item))
    if issubclass(kind, BaseException):
        return _Text(brief(value))  # its traceback would keep the frames of its calls
    return _Shown(value)


def _copy(value: Any, parts: Iterable[Any]) -> Any:
    if len(value) <= MOST_ITEMS and all(map(_is_small, parts)):
        return value if type(value) in (tuple, frozenset) else value.copy()
    return _Text(f"<a {type(value).__name__} of {len(value):,}>")


def _is_small(value: Any) -> bool:
    return type(value) in PLAIN or (type(value) in (str, bytes) and len(value) <= LONGEST)
