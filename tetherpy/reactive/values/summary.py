"""Short texts of values, bounded in length and safe against a failing ``repr``."""

from __future__ import annotations

import reprlib
from itertools import islice
from typing import Any, Final

from tetherpy.errors import safe_repr

LONGEST: Final = 200
"""Characters of one text."""

_SORTED = 1_000


class _Brief(reprlib.Repr):
    """``reprlib`` with other bounds, and a text for a ``repr`` that raises."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 4
        self.maxdict = self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdeque = 8
        self.maxstring = self.maxlong = self.maxother = LONGEST // 2

    def repr_instance(self, x: Any, level: int) -> str:
        """Describe an object by its own ``repr``, cut in the middle, or by its type if that raises."""
        text = safe_repr(x)
        if len(text) <= self.maxother:
            return text
        head = (self.maxother - 3) // 2
        return f"{text[:head]}...{text[len(text) - (self.maxother - 3 - head) :]}"

    def repr_dict(self, x: dict[Any, Any], level: int) -> str:
        """Describe a dict by its first items, in their order (reprlib sorts all of them)."""
        if x and level <= 0:
            return "{...}"
        shown = [f"{self.repr1(k, level - 1)}: {self.repr1(v, level - 1)}" for k, v in islice(x.items(), self.maxdict)]
        return "{" + ", ".join([*shown, "..."] if len(x) > self.maxdict else shown) + "}"

    def repr_set(self, x: set[Any], level: int) -> str:
        """Describe a set by its first elements, sorted; one that takes long to sort, by its size."""
        return super().repr_set(x, level) if len(x) <= _SORTED else f"<a set of {len(x):,}>"

    def repr_frozenset(self, x: frozenset[Any], level: int) -> str:
        """Describe it as ``repr_set`` does."""
        return super().repr_frozenset(x, level) if len(x) <= _SORTED else f"<a frozenset of {len(x):,}>"


_brief: Final = _Brief()


def brief(value: object) -> str:
    """Describe a value in at most ``LONGEST`` characters; an exception in its ``repr`` is named, not raised.

    Containers are shown by their first elements, so that a large one costs no more than a small one.
    """
    try:
        text = _brief.repr(value)
    except Exception as error:
        text = f"<a value whose repr raised {type(error).__name__}>"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
