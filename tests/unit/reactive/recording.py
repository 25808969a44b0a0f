"""Providers and listeners that record what happens to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from tetherpy.reactive import Provider, ProviderContainer, ProviderObserver, Ref

T = TypeVar("T")
Build = Callable[[Ref], T]


def changes_of(container: ProviderContainer, listened: Any, **options: Any) -> list[Any]:
    """Listen, and return the list that collects the pairs of previous and new value."""
    changes: list[Any] = []
    container.listen(listened, lambda previous, value: changes.append((previous, value)), **options)
    return changes


def values_of(container: ProviderContainer, listened: Any, **options: Any) -> list[Any]:
    """Listen, and return the list that collects the new values."""
    values: list[Any] = []
    container.listen(listened, lambda previous, value: values.append(value), **options)
    return values


def recording_builds(builds: list[T], build: Build[T], declare: Any = Provider) -> Provider[T]:
    """Declare a provider that appends each value it builds to a list."""

    def recorded(ref: Ref) -> T:
        builds.append(build(ref))
        return builds[-1]

    provider: Provider[T] = declare(recorded)
    return provider


def recording_disposal(
    log: list[Any], entry: str = "disposed", build: Build[Any] = lambda ref: 0, declare: Any = Provider.auto_dispose
) -> Provider[Any]:
    """Declare a provider that appends an entry to a list when its build ends."""

    def recorded(ref: Ref) -> Any:
        ref.on_dispose(lambda: log.append(entry))
        return build(ref)

    provider: Provider[Any] = declare(recorded)
    return provider


def recording_life(log: list[Any], build: Build[Any] = lambda ref: 0) -> Provider[Any]:
    """Declare an auto-dispose provider that appends "built" and "disposed" to a list."""

    def recorded(ref: Ref) -> Any:
        log.append("built")
        ref.on_dispose(lambda: log.append("disposed"))
        return build(ref)

    return Provider.auto_dispose(recorded)


def numbered(builds: list[int]) -> Build[int]:
    """Return a function for a provider: each build has the next number, which it appends to a list."""

    def build(ref: Ref) -> int:
        builds.append(len(builds))
        return builds[-1]

    return build


def observer_with(**methods: Callable[..., None]) -> ProviderObserver:
    """Return an observer with functions as its methods, which do not get the observer itself."""
    assert all(hasattr(ProviderObserver, name) for name in methods), "a name that no container calls"
    made: ProviderObserver = type("Observer", (ProviderObserver,), {n: staticmethod(m) for n, m in methods.items()})()
    return made
