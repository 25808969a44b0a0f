"""Providers, builds and values that many tests declare."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import attrs
import pytest

from tetherpy.reactive import Notifier, NotifierProvider, Provider, ProviderContainer, Ref, StateProvider
from tetherpy.reactive.errors import ProviderError


@attrs.frozen
class Box:
    """A value that is equal to another with the same content."""

    content: int


class Counter(Notifier[int]):
    """A notifier whose first state is 0."""

    def build(self) -> int:
        return 0


counter = NotifierProvider(Counter)
number = StateProvider(lambda ref: 0)
double = Provider(lambda ref: ref.watch(number) * 2)


def build_that_raises(error: BaseException) -> Callable[[Ref], NoReturn]:
    """Return a function for a provider that raises an error."""

    def fails(ref: Ref) -> NoReturn:
        raise error

    return fails


def failing_below_zero(source: Any) -> Provider[int]:
    """Declare a provider with the number of another one; it fails if the number is negative."""

    @Provider
    def positive(ref: Ref) -> int:
        if ref.watch(source) < 0:
            raise ValueError("negative")
        return int(ref.watch(source))

    return positive


def cached_for(seconds: float) -> Provider[int]:
    """Declare an auto-dispose provider that keeps its value for some time after its last use."""

    @Provider.auto_dispose
    def cached(ref: Ref) -> int:
        ref.cache_for(seconds)
        return 0

    return cached


def root_cause(error: BaseException | None) -> BaseException | None:
    """Return the error of a provider's function, which ProviderErrors of its users enclose."""
    while isinstance(error, ProviderError) and error.__cause__ is not None:
        error = error.__cause__
    return error


def failure_of(container: ProviderContainer, provider: Any) -> BaseException | None:
    """Read a provider that fails; return the error of the function that raised."""
    with pytest.raises(ProviderError) as caught:
        container.read(provider)
    return root_cause(caught.value)


def rebuild(how: str, container: ProviderContainer, provider: Any, dependency: Any) -> None:
    """Have a provider built again: by "a change" of a dependency, by "invalidate" or by "refresh"."""
    match how:
        case "a change":
            container.read(dependency.notifier).state += 1
        case "invalidate":
            container.invalidate(provider)
        case "refresh":
            container.refresh(provider)
        case _:
            raise ValueError(how)
