"""Families: one provider per distinct argument, each with its own state."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from tests.unit.reactive.matrix import ARGUMENT, Variant, ignore, known, settled, variants
from tetherpy.reactive import Provider, ProviderContainer, Ref, StateProvider, UnhashableArgumentError


@variants()
async def test_a_member_knows_its_family_and_argument(variant: Variant) -> None:
    provider = variant.declare(lambda ref: 0, name="answer")
    if variant.family:
        assert provider.of_family.name == provider.name == "answer"
        assert provider.argument == ((ARGUMENT,), ())
        assert provider.of_family(ARGUMENT) is provider
        assert provider.of_family(ARGUMENT + 1) is not provider
        assert repr(provider).endswith(f"Provider(answer({ARGUMENT}))")
        assert "answer" in repr(provider.of_family)
    else:
        assert (provider.of_family, provider.argument, provider.name) == (None, None, "answer")
        assert repr(provider).endswith("Provider(answer)")


async def test_the_default_name_is_that_of_the_function_or_class() -> None:
    @Provider
    def greeting(ref: Ref) -> str:
        return ""

    @Provider.family
    def greetings(ref: Ref, name: str) -> str:
        return name

    assert greeting.name == "greeting"
    assert greetings("x").name == greetings.name == "greetings"
    assert repr(greetings("x")) == "Provider(greetings('x'))"
    assert Provider(lambda ref: 0, name="given").name == "given"


async def test_each_argument_has_its_own_state(container: ProviderContainer) -> None:
    @StateProvider.family
    def count(ref: Ref, key: str) -> int:
        return len(key)

    doubled = Provider.family(lambda ref, key: ref.watch(count(key)) * 2)
    heard: list[Any] = []
    for key in ("a", "bb"):
        container.listen(doubled(key), lambda previous, value, key=key: heard.append((key, previous, value)))
    container.read(count("a").notifier).state = 10
    await container.pump()
    assert heard == [("a", 2, 20)]
    assert [container.read(count(key)) for key in ("a", "bb")] == [10, 2]


async def test_a_member_is_built_once_for_equal_arguments(container: ProviderContainer) -> None:
    builds: list[Any] = []

    @Provider.family
    def family(ref: Ref, x: Any, y: int = 1, *, z: str = "z") -> Any:
        builds.append((x, y, z))
        return x

    same = [family(1), family(1, 1), family(x=1), family(1, y=1), family(y=1, x=1, z="z"), family(1, z="z")]
    for provider in same:
        assert provider is same[0]
        container.read(provider)
    assert builds == [(1, 1, "z")]
    for other in (family(2), family(1, 2), family(1, z="y")):
        assert other is not same[0]
    with pytest.raises(TypeError, match="family"):
        family()  # type: ignore[call-arg]  # what the test is about


async def test_an_unhashable_argument_is_an_error_that_names_it() -> None:
    family = Provider.options(name="things").family(lambda ref, key, other=0: 0)
    with pytest.raises(UnhashableArgumentError, match=r"things.*other=") as caught:
        family(1, other=[2])
    assert (caught.value.family, caught.value.argument) == (family, "other")
    assert isinstance(caught.value, TypeError)


async def test_a_provider_can_be_an_argument(container: ProviderContainer) -> None:
    text = Provider.family(lambda ref, provider: str(ref.watch(provider)))
    number = StateProvider(lambda ref: 0)
    heard: list[str] = []
    container.listen(text(number), lambda previous, value: heard.append(value))
    container.read(number.notifier).state = 42
    await container.pump()
    assert heard == ["42"]


@variants(auto_dispose=False)
async def test_members_are_shared_with_children(variant: Variant, container: ProviderContainer) -> None:
    builds: list[int] = []
    provider = variant.declare(lambda ref: builds.append(0) or "value")
    child = ProviderContainer(parent=container)
    assert await settled(container, provider) == "value"
    assert known(child.read(provider), variant) == "value"
    assert builds == [0]


async def test_a_disposed_member_leaks_nothing(container: ProviderContainer) -> None:
    family = Provider.auto_dispose.family(lambda ref, key: key)
    for key in range(100):
        container.listen(family(key), ignore).close()
    await container.pump()
    gc.collect()
    assert container.elements == {}
    assert len(family._members) == 0


async def test_all_forms_of_the_builders_declare_the_same_provider(container: ProviderContainer) -> None:
    def create(ref: Ref, key: int = 0) -> int:
        return key

    declared = [
        Provider(create, auto_dispose=True, name="n", dependencies=[]),
        Provider.options(auto_dispose=True, name="n", dependencies=[])(create),
        Provider.options(auto_dispose=True, name="n", dependencies=[]).family(create)(0),
        Provider[int](create, auto_dispose=True, name="n", dependencies=[]),
    ]
    for provider in declared:
        assert (provider.is_auto_dispose, provider.name, provider.dependencies) == (True, "n", ())
        assert container.read(provider) == 0
    assert Provider.auto_dispose(create).is_auto_dispose
    assert Provider.auto_dispose.family(create)(1).is_auto_dispose
    assert not Provider.family(create)(1).is_auto_dispose
