"""Providers that outlive the test, in an undisposed container or because of an open subscription."""

from __future__ import annotations

from collections.abc import Generator, Iterable, ValuesView
from contextlib import contextmanager
from typing import Any

import attrs

from tetherpy.reactive import ProviderBase, ProviderContainer

from ..call_sites import Site, calling_site
from .leak import Leak

_NAMED = 5
"""How many providers of a container are named."""


@attrs.define(eq=False)
class MadeContainer:
    """A container, where it was made, and where its providers were last listened to."""

    container: ProviderContainer
    site: Site | None
    listened_at: dict[Any, Site | None] = attrs.field(init=False, factory=dict[Any, "Site | None"])


@contextmanager
def recorded_containers() -> Generator[ValuesView[MadeContainer]]:
    """Give all containers that are made in the block."""
    made: dict[ProviderContainer, MadeContainer] = {}
    init, listen = ProviderContainer.__init__, ProviderContainer.listen

    def recorded_init(self: ProviderContainer, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        made[self] = MadeContainer(self, calling_site())

    def recorded_listen(self: ProviderContainer, listenable: Any, *args: Any, **kwargs: Any) -> Any:
        if self in made:
            made[self].listened_at[listenable.origin] = calling_site()
        return listen(self, listenable, *args, **kwargs)

    ProviderContainer.__init__ = recorded_init  # type: ignore[method-assign,assignment]  # the one place that sees all of them
    ProviderContainer.listen = recorded_listen  # type: ignore[method-assign]
    try:
        yield made.values()
    finally:
        ProviderContainer.__init__ = init  # type: ignore[method-assign]
        ProviderContainer.listen = listen  # type: ignore[method-assign]


def undisposed(made: Iterable[MadeContainer]) -> list[Leak]:
    """Return the containers that hold built providers and were not disposed; children count with their parents."""
    return [
        Leak(
            "provider",
            f"{_names(container.all_providers())} in {container!r}, which was not disposed",
            site,
            "Use the fixture `make_container` or `with ProviderContainer(...)`, or dispose it where it is made.",
        )
        for container, site in ((each.container, each.site) for each in made)
        if not container.disposed and container.parent is None and container.all_providers()
    ]


def still_listened_to(made: MadeContainer) -> list[Leak]:
    """Return the auto-dispose providers of a container that are kept alive by somebody who listens."""
    container = made.container
    return [
        Leak(
            "provider",
            f"{provider!r} is auto-dispose and still listened to ({explanation.listeners} listeners)",
            made.listened_at.get(provider) or made.site,
            "Close what container.listen, observe or stream returned: `with container.listen(...):` does.",
        )
        for provider in container.all_providers()
        if provider.is_auto_dispose and (explanation := container.explain(provider)).listeners
    ]


def _names(providers: list[ProviderBase[Any]]) -> str:
    more = len(providers) - _NAMED
    return ", ".join(map(repr, providers[:_NAMED])) + (f" and {more} more" if more > 0 else "")
