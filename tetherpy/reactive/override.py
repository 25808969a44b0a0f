"""Overrides: what a container uses in the place of a provider's own function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import attrs

from .element import Element
from .errors import DuplicateOverrideError, NotScopedError


@attrs.frozen(eq=False)
class Override:
    """One replacement; made by the ``override_with...`` methods of providers and families.

    Attributes:
        origin: the provider or family that is replaced.
        attach: prepares the element of the provider (or of a member of the family) with the replacement.
    """

    origin: Any
    attach: Callable[[Element, Any], None] = attrs.field(repr=False)


class OverrideTable:
    """The overrides of one container."""

    __slots__ = ("by_origin", "touched")

    def __init__(self, overrides: Iterable[Override], *, in_child: bool) -> None:
        self.by_origin: dict[Any, Override] = {}
        self.touched: set[Any] = set()
        for override in overrides:
            origin = override.origin
            if origin in self.by_origin:
                raise DuplicateOverrideError(origin)
            if in_child and origin.settings.dependencies is None:
                raise NotScopedError(origin)
            self.by_origin[origin] = override
            self.touched.add(origin)
            if origin.of_family is not None:
                self.touched.add(origin.of_family)

    def of(self, provider: Any) -> Override | None:
        """Return the override of a provider, or that of its family."""
        by_origin = self.by_origin
        if provider in by_origin:
            return by_origin[provider]
        return None if provider.membership is None else by_origin.get(provider.membership[0])

    def concerns(self, provider: Any) -> bool:
        """Whether a scoped provider must live in this container: something it depends on is overridden here."""
        return not self.touched.isdisjoint(provider.settings.transitive)
