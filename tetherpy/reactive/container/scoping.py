"""The owner container of a provider: the container, from one up to its root, that holds its element."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

from ..graph.element import Element, Host
from ..providers.provider import Family, ProviderBase, check_target
from .overrides import OverrideTable

Target: TypeAlias = ProviderBase[Any] | Family[Any, Any, Any]


class Level(Host, Protocol):
    """A container with its overrides and its parent."""

    overrides: OverrideTable | None

    @property
    def parent(self) -> Level | None:
        """The parent container, None for a root."""
        ...


def element_of_owner(container: Level, provider: Any) -> Element:
    """Return the element of a provider that is not in the container's table; create it in its owner container."""
    overrides = container.overrides
    override = None if overrides is None else overrides.of(provider)
    if override is not None:
        element = Element(container, provider, None)
        override.attach(element, provider)
    elif container.parent is None or (
        overrides is not None and overrides.concerns(provider) and not overridden_above(container, provider)
    ):
        element = provider.element_in(container)
    else:
        element = container.parent.find(provider)
    return element


def owner_of(container: Level, target: Target) -> Level:
    """Return the owner container of a provider.

    It is the nearest container that overrides the provider; for a scoped provider without override, the nearest
    container that overrides one of its dependencies; else the root.
    """
    while container.parent is not None:
        overrides = container.overrides
        if overrides is not None and (
            overrides.of(target) is not None or (overrides.concerns(target) and not overridden_above(container, target))
        ):
            break
        container = container.parent
    return container


def overridden_above(container: Level, target: Target) -> bool:
    """Return whether a parent overrides a provider, which then owns it whatever its dependencies are (Riverpod)."""
    above = container.parent
    while above is not None:
        if above.overrides is not None and above.overrides.of(target) is not None:
            return True
        above = above.parent
    return False


def built(container: Level, target: Target) -> list[Element]:
    """Return the built elements of a provider, or of the members of a family, that are visible from a container.

    Raises:
        NotAProviderError: ``target`` is neither a provider nor a family.
    """
    check_target(target)
    last = owner_of(container, target)  # parents of the owner may have members too, but they are not visible here
    if isinstance(target, ProviderBase):
        element = last.elements.get(target)
        return [] if element is None or element.ref is None else [element]
    found: list[Element] = []
    above: Level | None = container
    while above is not None:
        for provider, element in above.elements.items():
            if provider.of_family is target and element.host is above and element.ref is not None:
                found.append(element)
        above = None if above is last else above.parent
    return found
