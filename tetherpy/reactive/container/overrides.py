"""Overrides: replacements for the functions of providers in one container."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import attrs

from ..errors import DuplicateOverrideError, NotAnOverrideError, NotScopedError
from ..graph.element import Element
from ..providers.provider_options import ProviderOptions


@attrs.frozen
class Override:
    """One replacement; returned by the ``override_with...`` methods of providers and families.

    Attributes:
        origin: the provider or family that is replaced.
        attach: prepares the element of the provider (or of a member of the family) with the replacement.
    """

    origin: Any
    attach: Callable[[Element, Any], None] = attrs.field(repr=False)


class Overridable:
    """Base of providers and families.

    One of them in a list of overrides gives the container a separate state, built with the original function.
    """

    __slots__ = ()

    settings: ProviderOptions

    @property
    def dependencies(self) -> tuple[Any, ...] | None:
        """The scoped providers that it uses, or None if it is not scoped."""
        return self.settings.dependencies

    @property
    def scope(self) -> str | None:
        """The name of the scope that it lives in, or None."""
        return self.settings.scope

    @property
    def transitive_dependencies(self) -> frozenset[Any]:
        """The scoped providers and families that it uses, directly or indirectly."""
        return self.settings.transitive


Overriding: TypeAlias = Override | Overridable
"""The elements of a list of overrides."""


def overrides_of(given: Iterable[Overriding]) -> list[Override]:
    """Return the overrides of a container from its argument.

    Raises:
        NotAnOverrideError: it is not a list of overrides, or contains another object.
    """
    # Every container checks its overrides, and isinstance(given, Iterable) is slow: test the usual types first.
    if type(given) not in (tuple, list) and not _is_list(given):
        raise NotAnOverrideError(given)
    return [_override_of(one) for one in given]


def _is_list(given: object) -> bool:
    return isinstance(given, Iterable) and not isinstance(given, Mapping)


def _override_of(given: object) -> Override:
    if isinstance(given, Override):
        return given
    if isinstance(given, Overridable):
        return Override(given, _attach_own)
    raise NotAnOverrideError(given)


def _attach_own(element: Element, provider: Any) -> None:
    provider.attach_own(element)


class OverrideTable:
    """The overrides of one container.

    Args:
        overrides: the overrides.
        within: the scopes of the container; None if any provider may be overridden in it, as in a root.
    """

    __slots__ = ("by_origin", "touched")

    def __init__(self, overrides: Iterable[Override], *, within: frozenset[str] | None) -> None:
        self.by_origin: dict[Any, Override] = {}
        self.touched: set[Any] = set()
        for override in overrides:
            origin = override.origin
            if origin in self.by_origin:
                raise DuplicateOverrideError(origin)
            settings = origin.settings
            if within is not None and settings.dependencies is None and settings.scopes.isdisjoint(within):
                raise NotScopedError(origin)
            self.by_origin[origin] = override
            self.touched.add(origin)
            if origin.of_family is not None:
                self.touched.add(origin.of_family)

    def of(self, provider: Any) -> Override | None:
        """Return the override of a provider or of its family."""
        by_origin = self.by_origin
        if provider in by_origin:
            return by_origin[provider]
        return None if provider.membership is None else by_origin.get(provider.membership[0])

    def concerns(self, provider: Any) -> bool:
        """Return whether this container overrides a dependency of a provider, and so must own a scoped provider."""
        return not self.touched.isdisjoint(provider.settings.transitive)
