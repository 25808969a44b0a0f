"""Where a provider lives: which of the containers, from one up to its root, has its element."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

from ..graph.element import Element, Host
from ..providers.provider import Family, ProviderBase, check_target
from .overrides import OverrideTable

Target: TypeAlias = ProviderBase[Any] | Family[Any, Any, Any]


class Level(Host, Protocol):
    """What is asked of a container here: its overrides, and the one above it."""

    overrides: OverrideTable | None

    @property
    def parent(self) -> Level | None:
        """The container above, None for a root."""
        ...


def element_of_owner(container: Level, provider: Any) -> Element:
    """Return a provider's element as seen from a container that does not have it, making it where it belongs."""
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
    """Return the container that a provider lives in.

    The nearest container that overrides it; if none does, for a scoped provider the nearest one that
    overrides something it depends on; else the root.
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
    """Whether a parent overrides a provider: it then stays there, wherever its dependencies go (Riverpod)."""
    above = container.parent
    while above is not None:
        if above.overrides is not None and above.overrides.of(target) is not None:
            return True
        above = above.parent
    return False


def built(container: Level, target: Target) -> list[Element]:
    """Return the built elements that a provider, or the members of a family, have as seen from a container.

    Raises:
        NotAProviderError: ``target`` is something else.
    """
    check_target(target)
    last = owner_of(container, target)  # members in its parents are other ones, which cannot be seen from here
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
