"""Values that cannot be compared, and arguments that are equal but differ in type."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable
from decimal import Decimal
from typing import Any, cast

import numpy as np
import pytest

from tetherpy.errors import TetherError
from tetherpy.reactive import (
    AsyncData,
    AsyncError,
    AsyncValue,
    FutureProvider,
    Provider,
    ProviderContainer,
    Ref,
    StateProvider,
)
from tetherpy.reactive.errors import ProviderError, UnhashableArgumentError


class Expression:
    """Like an ORM column: a comparison returns an expression without a truth value."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __eq__(self, other: object) -> Any:
        return Expression(0)

    def __ne__(self, other: object) -> Any:
        return Expression(0)

    def __bool__(self) -> bool:
        raise TypeError("no truth value")

    __hash__ = object.__hash__


class Truthy:
    """A comparison returns an expression that is true; ``!=`` is inherited and inverts it."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __eq__(self, other: object) -> Any:
        return "an expression"

    __hash__ = object.__hash__


class Incomparable:
    def __init__(self, value: int) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("cannot be compared")

    __hash__ = object.__hash__


class Array:
    """Compares like the array it contains."""

    def __init__(self, value: int) -> None:
        self.value = value
        self.array = np.array([value, value])

    def __eq__(self, other: object) -> Any:
        return self.array == getattr(other, "array", None)

    __hash__ = object.__hash__


ODD = pytest.mark.parametrize("kind", [Expression, Truthy, Incomparable, Array])
number = StateProvider(lambda ref: 1, name="number")


@ODD
def test_a_value_that_cannot_be_compared_counts_as_changed_everywhere(kind: Callable[[int], Any]) -> None:
    async def run() -> None:
        @FutureProvider
        async def whole(ref: Ref) -> dict[str, Any]:
            value = ref.watch(number)
            await asyncio.sleep(0)
            return {"part": kind(value)}

        @FutureProvider
        async def part(ref: Ref) -> int:
            return int((await ref.watch(whole.select_async(lambda data: data["part"]))).value)

        state = StateProvider(lambda ref: kind(1))
        odd = Provider(lambda ref: kind(ref.watch(number)))
        parts = {
            "select": Provider(lambda ref: ref.watch(odd.select(lambda value: value)).value),
            "derived": Provider(lambda ref: ref.watch(odd).value),
            "state": Provider(lambda ref: ref.watch(state).value),
            "async select": Provider(lambda ref: _value(ref.watch(whole.select(lambda state: state)))),
        }
        failures: list[object] = []
        async with ProviderContainer(on_error=lambda error, provider: failures.append(error)) as container:
            for provider in (part, *parts.values()):
                container.listen(provider, _ignore)
            assert await container.read(part.future) == 1
            container.read(number.notifier).state = 2
            container.read(state.notifier).state = kind(2)
            await container.read(whole.future)
            await container.pump()
            assert await container.read(part.future) == 2
            assert {name: container.read(provider) for name, provider in parts.items()} == dict.fromkeys(parts, 2)
        assert not failures

    asyncio.run(run())


@ODD
def test_async_values_with_data_that_cannot_be_compared_are_not_equal(kind: Callable[[int], Any]) -> None:
    assert AsyncData(kind(1)) != AsyncData(kind(1))
    same = kind(1)
    assert AsyncData(same) == AsyncData(same)


@pytest.mark.parametrize(
    "select",
    [np.max, np.sum, np.any, lambda array: array[1], lambda array: array.reshape(3)[1:2].sum()],
    ids=["max", "sum", "any", "item", "part"],
)
def test_an_equal_numpy_reduction_causes_no_rebuild(select: Callable[[Any], Any]) -> None:
    array = StateProvider(lambda ref: np.array([1, 2, 3]))
    builds: list[object] = []
    part = Provider(lambda ref: builds.append(ref.watch(array.select(select))))
    with ProviderContainer() as container:
        container.listen(part, _ignore)
        for _ in range(3):
            container.read(array.notifier).state = np.array([1, 2, 3])
        assert len(builds) == 1
        container.read(array.notifier).state = np.array([0, 0, 0])
        assert len(builds) == 2


class Color(enum.IntEnum):
    RED = 1


class Kind(enum.StrEnum):
    A = "a"


GROUPS: list[tuple[Any, ...]] = [
    (1, True, 1.0, 1 + 0j, Color.RED, Decimal(1), np.int64(1), np.float64(1)),
    ("a", Kind.A, np.str_("a")),
    ((1, ("x", True)), (1, ("x", 1)), (1.0, ("x", 1))),
    (frozenset({1}), frozenset({True}), frozenset({1.0})),
    ((frozenset({(1,)}),), (frozenset({(True,)}),)),
]


@pytest.mark.parametrize("group", GROUPS, ids=[repr(group[0]) for group in GROUPS])
def test_equal_arguments_of_different_types_are_different_providers(group: tuple[Any, ...]) -> None:
    @Provider.family
    def shown(ref: Ref, value: Any, *, tag: Any = None) -> str:
        return repr(value)

    members = [shown(value) for value in group]
    keyed = [shown(0, tag=value) for value in group]
    assert len(set(members)) == len(set(keyed)) == len(group)
    with ProviderContainer() as container:
        assert [container.read(member) for member in members] == [repr(value) for value in group]
    for value, member in zip(group, members, strict=True):
        assert shown(value) is member
        assert shown(value=value, tag=None) is member
        assert member.argument == ((value,), (("tag", None),))


def _value(state: AsyncValue[dict[str, Any]]) -> int | None:
    return None if state.value is None else int(state.value["part"].value)


def _ignore(previous: object, value: object) -> None:
    """Do nothing with a change."""


# --- values whose repr raises ---------------------------------------------------------------------


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


def test_an_argument_whose_repr_raises_does_not_hide_the_error_of_the_build() -> None:
    @Provider.family
    def broken(ref: Ref, argument: object, *, named: object) -> object:
        raise ValueError("the error of the build")

    argument = Unprintable()
    provider = broken(argument, named=argument)
    with ProviderContainer() as container, pytest.raises(ProviderError) as failed:
        container.read(provider)
    assert str(failed.value.__cause__) == "the error of the build"
    assert "Unprintable" in str(failed.value)
    assert "Unprintable" in repr(provider)


def test_a_value_whose_repr_raises_is_named_by_its_type_in_states_and_errors() -> None:
    class Failure(Unprintable, Exception):
        pass

    for state in (AsyncData(Unprintable()), AsyncError(Failure())):
        assert "whose repr raised RuntimeError" in repr(state)

    class Unhashable(Unprintable):
        __hash__: Any = None

    @Provider.family
    def of(ref: Ref, argument: object) -> object:
        return argument

    with pytest.raises(UnhashableArgumentError, match="Unhashable"):
        of(Unhashable())
    with ProviderContainer() as container, pytest.raises(TetherError, match="Unprintable"):
        container.read(cast("Any", Unprintable()))
