"""The owner container of a provider: the container, from one up to its root, that holds its element."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeAlias

from ..errors import OutsideScopeError
from ..graph.element import Element, Host
from ..graph.node_states import BUILDING
from ..providers.provider import Family, ProviderBase, check_target
from .overrides import Override, OverrideTable

Target: TypeAlias = ProviderBase[Any] | Family[Any, Any, Any]


class Level(Host, Protocol):
    """A container with its overrides and its parent."""

    overrides: OverrideTable | None
    scope: str | None
    separate: bool

    @property
    def parent(self) -> Level | None:
        """The parent container, None for a root."""
        ...

    @property
    def children(self) -> Sequence[Level]:
        """The child containers."""
        ...


def element_of_owner(container: Level, provider: Any) -> Element:
    """Return the element of a provider that is not in the container's table; create it in its owner container.

    Raises:
        OutsideScopeError: the provider has a scope, and the container is not inside a container of that scope.
    """
    if provider.settings.scopes:
        owner = _owner_in_scope(container, provider)
        if owner is None:
            raise OutsideScopeError(provider, provider.settings.scopes, container, _readers(container))
        return _new_element(owner, provider) if owner is container else owner.find(provider)
    overrides = container.overrides
    override = None if overrides is None else overrides.of(provider)
    if override is not None:
        element = Element(container, provider, None)
        override.attach(element, provider)
    elif container.parent is None or (
        overrides is not None and overrides.concerns(provider) and not overridden_above(container, provider)
    ):
        element = provider.element_in(container)
    elif container.separate:
        element = _held_above(container, provider) or _new_element(container, provider)
    else:
        element = container.parent.find(provider)
    return element


def _new_element(container: Level, provider: Any) -> Element:
    """Return a new element with the function of the nearest override, or else of the provider."""
    override = nearest_override(container, provider)
    if override is None:
        element: Element = provider.element_in(container)
    else:
        element = Element(container, provider, None)
        override.attach(element, provider)
    return element


def nearest_override(container: Level, provider: Any) -> Override | None:
    """Return the override that applies to a provider that lives in a container."""
    level: Level | None = container
    while level is not None:
        override = None if level.overrides is None else level.overrides.of(provider)
        if override is not None:
            return override
        level = level.parent
    return None


def _owner_in_scope(container: Level, target: Target) -> Level | None:
    """Return the owner container of a provider with a scope, or None outside its scope.

    It is the nearest container of the scope, or one inside that which overrides the provider or its dependencies.
    """
    home: Level | None = container
    while home is not None and home.scope not in target.settings.scopes:
        home = home.parent
    return None if home is None else _nearest_overriding(container, target, home)


def _held_above(container: Level, provider: Any) -> Element | None:
    """Return the element that a parent has built, unless it depends on a provider that this container overrides."""
    above = container.parent
    while above is not None:
        element = above.elements.get(provider)
        if element is not None:
            overridden = element.ref is None or (
                container.overrides is not None and _depends_on(element, container.overrides)
            )
            return None if overridden else element
        above = above.parent
    return None


def _depends_on(element: Element, overrides: OverrideTable) -> bool:
    todo, seen = [element], {element}
    while todo:
        for source in todo.pop().sources:
            if not source.provider.ephemeral and overrides.of(source.provider) is not None:
                return True
            if source not in seen:
                seen.add(source)
                todo.append(source)
    return False


def _readers(container: Level) -> list[Any]:
    """Return the providers whose builds are under way, the outermost first; each of them reads the next one."""
    readers: list[Any] = []
    reader = container.scheduler.building
    if reader is None or reader.host is not container:
        return readers
    building = _being_built(container)
    while reader is not None:
        readers.insert(0, reader.provider)
        reader = next((one for one in building if _reads_now(one) is reader), None)
    return readers


def _being_built(container: Level) -> list[Element]:
    return [
        element
        for level in _tree(container)
        for element in level.elements.values()
        if element.state == BUILDING and element.host is level
    ]


def _tree(container: Level) -> Iterator[Level]:
    """Yield a container and all containers below it."""
    yield container
    for child in container.children:
        yield from _tree(child)


def _reads_now(element: Element) -> Element | None:
    """Return the last source that a running build has read."""
    if element.fresh:
        return element.fresh[-1]
    return element.sources[element.idx - 1] if element.idx else None


def owner_of(container: Level, target: Target) -> Level | None:
    """Return the owner container of a provider, or None if the container is outside its scope.

    It is the nearest container that overrides the provider; for a scoped provider without override, the nearest
    container that overrides one of its dependencies; else the root, or a separate container between.
    """
    if target.settings.scopes:
        return _owner_in_scope(container, target)
    return _nearest_overriding(container, target, None)


def _nearest_overriding(container: Level, target: Target, last: Level | None) -> Level:
    while container is not last and container.parent is not None:
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


def overridden_by(container: Level) -> list[Element]:
    """Return the elements in a container and its children that use an override of the container."""
    overrides = container.overrides
    return [
        element
        for level in _tree(container)
        for provider, element in level.elements.items()
        if element.host is level
        and overrides is not None
        and overrides.of(provider) is not None
        and nearest_override(level, provider) is overrides.of(provider)
    ]


def built(container: Level, target: Target) -> list[Element]:
    """Return the built elements of a provider, or of the members of a family, that are visible from a container.

    Raises:
        NotAProviderError: ``target`` is neither a provider nor a family.
    """
    check_target(target)
    last = owner_of(container, target)  # parents of the owner may have members too, but they are not visible here
    found: dict[Any, Element] = {}
    separating: list[OverrideTable] = []
    above = None if last is None else container
    while above is not None:
        for element in _in_table(above, target):
            hidden = element.provider in found or any(_depends_on(element, overrides) for overrides in separating)
            if element.host is above and element.ref is not None and not hidden:
                found[element.provider] = element
        if above.separate and above.overrides is not None:
            separating.append(above.overrides)
        above = None if above is last else above.parent
    return list(found.values())


def _in_table(container: Level, target: Target) -> Iterable[Element]:
    """Return the elements of a provider, or of the members of a family, in the table of a container."""
    if isinstance(target, ProviderBase):
        element = container.elements.get(target)
        return () if element is None else (element,)
    return (element for provider, element in container.elements.items() if provider.of_family is target)
