"""Scopes: which container owns a provider when containers have parents and providers declare dependencies."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.reactive.matrix import Variant, ignore, known, settled, variants
from tetherpy.reactive import FutureProvider, Provider, ProviderContainer, Ref, StateProvider
from tetherpy.reactive.errors import MissingDependencyError, ProviderError


def child_of(parent: ProviderContainer, *overrides: Any) -> ProviderContainer:
    return ProviderContainer(parent=parent, overrides=overrides)


def lives_in(provider: Any, *containers: ProviderContainer) -> list[bool]:
    """Return for each container whether it owns the provider's state."""
    return [
        provider in container.elements and container.elements[provider].host is container for container in containers
    ]


# -- following what is overridden ----------------------------------------------------------------


@variants(auto_dispose=False)
async def test_a_scoped_provider_is_owned_by_the_container_of_its_overridden_dependency(
    variant: Variant, container: ProviderContainer
) -> None:
    builds: list[int] = []
    dep = Provider(lambda ref: 0, dependencies=[])

    def create(ref: Ref) -> int:
        builds.append(ref.watch(dep))
        return builds[-1]

    provider = variant.declare(create, dependencies=[dep])
    scope = child_of(container, dep.override_with_value(42))
    leaf = child_of(child_of(scope))

    assert await settled(leaf, provider) == 42
    assert await settled(scope, provider) == 42
    assert builds == [42]
    assert await settled(container, provider) == 0
    assert builds == [42, 0]
    assert await settled(child_of(scope), provider) == 42
    assert builds == [42, 0]
    assert lives_in(provider, container, scope, leaf) == [True, True, False]


@variants(auto_dispose=True)
async def test_an_auto_dispose_provider_in_a_child_container_is_rebuilt_there(
    variant: Variant, container: ProviderContainer
) -> None:
    dep = Provider(lambda ref: 0, dependencies=[])
    provider = variant.declare(lambda ref: ref.watch(dep), dependencies=[dep])
    scope = child_of(container, dep.override_with_value(42))
    for _ in range(2):
        with scope.listen(provider, ignore):
            assert await settled(scope, provider) == 42
        assert lives_in(provider, container, scope) == [False, True]
        await scope.pump()
        assert lives_in(provider, container, scope) == [False, False]
        assert lives_in(dep, container, scope) == [False, True]


async def test_a_provider_read_in_a_parent_is_rebuilt_in_a_later_child(container: ProviderContainer) -> None:
    a = Provider(lambda ref: 0, dependencies=[])
    b = Provider(lambda ref: ref.watch(a) + 10, dependencies=[a])
    assert container.read(b) == 10

    middle = child_of(container, a.override_with_value(42))
    assert middle.read(b) == 52

    leaf = child_of(middle, a.override_with_value(84))
    assert leaf.read(b) == 94
    assert [c.read(b) for c in (container, middle, leaf)] == [10, 52, 94]


async def test_indirect_and_family_dependencies_count(container: ProviderContainer) -> None:
    dep = Provider(lambda ref: 0, dependencies=[])
    times = Provider.options(dependencies=[dep]).family(lambda ref, factor: ref.watch(dep) * factor)
    middle = Provider(lambda ref: ref.watch(times(2)), dependencies=[times])
    provider = Provider(lambda ref: str(ref.watch(middle)), dependencies=[middle])

    scope = child_of(container, dep.override_with_value(42))
    leaf = child_of(scope)
    assert [leaf.read(p) for p in (provider, middle, times(2), dep)] == ["84", 84, 84, 42]
    assert all(lives_in(p, container, scope, leaf) == [False, True, False] for p in (provider, middle, times(2), dep))
    assert [container.read(p) for p in (provider, middle, times(2), dep)] == ["0", 0, 0, 0]
    assert provider.transitive_dependencies == {dep, times, middle}


async def test_an_overridden_family_or_member_moves_its_dependents_to_the_child(container: ProviderContainer) -> None:
    family = Provider.options(dependencies=[]).family(lambda ref, key: key * 2)
    user = Provider(lambda ref: ref.watch(family(21)), dependencies=[family])
    far = Provider(lambda ref: ref.watch(user), dependencies=[user])
    whole = child_of(container, family.override_with(lambda ref, key: key * 3))
    one = child_of(container, family(21).override_with_value(-1))
    assert [child_of(scope).read(far) for scope in (container, whole, one)] == [42, 63, -1]
    assert lives_in(far, whole, one) == [True, True]


async def test_with_several_dependencies_the_innermost_container_owns_it(container: ProviderContainer) -> None:
    one = Provider(lambda ref: 0, dependencies=[])
    two = Provider(lambda ref: 0, dependencies=[])
    plus = Provider(lambda ref: ref.watch(one) + ref.watch(two), dependencies=[one, two])
    minus = Provider(lambda ref: ref.watch(one) - ref.watch(two), dependencies=[two, one])
    only = Provider(lambda ref: ref.watch(one), dependencies=[one])
    middle = child_of(container, one.override_with_value(42))
    deep = child_of(middle, two.override_with_value(21))
    leaf = child_of(deep)
    assert [leaf.read(p) for p in (plus, minus, only)] == [63, 21, 42]
    places = (container, middle, deep, leaf)
    assert lives_in(plus, *places) == lives_in(minus, *places) == [False, False, True, False]
    assert lives_in(only, *places) == [False, True, False, False]


@pytest.mark.parametrize("member", [False, True], ids=["provider", "family"])
async def test_an_overridden_provider_does_not_follow_its_dependencies(member: bool) -> None:
    a = Provider(lambda ref: 0, dependencies=[])
    other = Provider(lambda ref: 42, dependencies=[])
    declare = Provider.options(dependencies=[a, other])
    family = declare.family(lambda ref, key: ref.watch(a))
    fixed = declare(lambda ref: ref.watch(a))
    made = declare(lambda ref: ref.watch(a))
    overrides: list[Any] = (
        [family.override_with(lambda ref, key: ref.watch(other) + key)]
        if member
        else [fixed.override_with_value(21), made.override_with(lambda ref: ref.watch(other) + 10)]
    )
    with ProviderContainer(overrides=overrides) as root:
        scope = child_of(root, a.override_with_value(42), other.override_with_value(84))
        assert scope.read(a) == 42
        if member:
            assert scope.read(family(10)) == 52
        else:
            assert [scope.read(fixed), scope.read(made)] == [21, 52]
            assert lives_in(fixed, root, scope) == [True, False]


async def test_a_container_between_that_was_never_read_is_skipped(container: ProviderContainer) -> None:
    builds: list[int] = []
    scoped = Provider(lambda ref: -1, dependencies=[])
    top = child_of(container, scoped.override_with(lambda ref: builds.append(0)))
    leaf = child_of(child_of(top))
    leaf.read(scoped)
    top.read(scoped)
    assert builds == [0]
    assert lives_in(scoped, container, top, leaf) == [False, True, False]


async def test_a_family_uses_the_nearest_override(container: ProviderContainer) -> None:
    builds: list[int] = []

    def plus_10(ref: Ref, key: int) -> int:
        builds.append(key)
        return key + 10

    family = Provider.options(dependencies=[]).family(lambda ref, key: key)
    middle = child_of(container, family.override_with(plus_10))
    assert [middle.read(family(10)), child_of(middle).read(family(10))] == [20, 20]
    assert builds == [10]
    assert child_of(middle, family.override_with(lambda ref, key: key + 20)).read(family(10)) == 30
    assert container.read(family(10)) == 10


@variants(auto_dispose=False)
async def test_parent_and_child_have_separate_states(variant: Variant, container: ProviderContainer) -> None:
    provider = variant.declare(lambda ref: "parent", dependencies=[])
    child = child_of(container, variant.overridden(provider, lambda ref: "child"))
    assert [await settled(container, provider), await settled(child, provider)] == ["parent", "child"]
    container.invalidate(provider)
    assert known(child.read(provider), variant) == "child"
    child.refresh(provider)
    assert [await settled(container, provider), await settled(child, provider)] == ["parent", "child"]


async def test_a_scoped_provider_may_listen_to_scoped_and_shared_providers(container: ProviderContainer) -> None:
    shared = StateProvider(lambda ref: 1)
    scoped = StateProvider(lambda ref: 10, dependencies=[])
    total = Provider(lambda ref: ref.watch(shared) + ref.watch(scoped), dependencies=[scoped])
    child = child_of(container, scoped.override_with_value(100))
    heard: list[tuple[str, int]] = []
    container.listen(total, lambda previous, value: heard.append(("parent", value)))
    child.listen(total, lambda previous, value: heard.append(("child", value)))

    child.read(scoped.notifier).state += 1
    await child.pump()
    assert heard == [("child", 102)]

    child.read(shared.notifier).state += 1
    await child.pump()
    assert set(heard[1:]) == {("child", 103), ("parent", 12)}


# -- what a provider may use ---------------------------------------------------------------------


USES: dict[str, Any] = {
    "watch": lambda ref, provider: ref.watch(provider),
    "read": lambda ref, provider: ref.read(provider),
    "listen": lambda ref, provider: ref.listen(provider, ignore),
    "refresh": lambda ref, provider: ref.refresh(provider),
    "invalidate": lambda ref, provider: ref.invalidate(provider),
}


@pytest.mark.parametrize("member", [False, True], ids=["provider", "family"])
@pytest.mark.parametrize("use", USES.values(), ids=USES)
async def test_a_scoped_dependency_must_be_declared(use: Any, member: bool, container: ProviderContainer) -> None:
    far = Provider(lambda ref: 0, dependencies=[])
    listed = Provider(lambda ref: 0, dependencies=[far])
    listed_family = Provider.options(dependencies=[]).family(lambda ref, key: 0)
    unlisted = Provider(lambda ref: 0, dependencies=[])
    unlisted_family = Provider.options(dependencies=[]).family(lambda ref, key: 0)
    shared = Provider(lambda ref: 0)
    declare = Provider.options(dependencies=[listed, listed_family])
    user: Any = declare.family(lambda ref, key: ref)(0) if member else declare(lambda ref: ref)
    ref = container.read(user)

    for allowed in (listed, listed_family(42), shared):
        use(ref, allowed)
    for refused in (far, unlisted, unlisted_family(42)):
        with pytest.raises(MissingDependencyError) as caught:
            use(ref, refused)
        assert (caught.value.provider, caught.value.dependency) == (user, refused)
    assert not container.exists(unlisted)


@pytest.mark.parametrize("use", ["watch", "read", "listen"])
async def test_a_scoped_dependency_of_a_selector_must_be_declared(use: str, container: ProviderContainer) -> None:
    listed = FutureProvider(lambda ref: 0, dependencies=[])
    unlisted = FutureProvider(lambda ref: 0, dependencies=[])
    counter = StateProvider(lambda ref: 0, dependencies=[])
    user = Provider(lambda ref: ref, dependencies=[listed])
    ref = container.read(user)

    for allowed in (listed.select(str), listed.future, listed.select_async(str)):
        USES[use](ref, allowed)
    for refused in (unlisted.select(str), unlisted.future, unlisted.select_async(str), counter.notifier):
        with pytest.raises(MissingDependencyError):
            USES[use](ref, refused)


async def test_a_family_must_be_declared_to_be_invalidated(container: ProviderContainer) -> None:
    listed = Provider.options(dependencies=[]).family(lambda ref, key: 0)
    unlisted = Provider.options(dependencies=[]).family(lambda ref, key: 0)
    shared = Provider.family(lambda ref, key: 0)
    ref = container.read(Provider(lambda ref: ref, dependencies=[listed]))
    ref.invalidate(listed)
    ref.invalidate(shared)
    with pytest.raises(MissingDependencyError):
        ref.invalidate(unlisted)


async def test_an_unscoped_provider_cannot_use_a_scoped_one(
    container: ProviderContainer, reported: list[BaseException]
) -> None:
    scoped = Provider(lambda ref: 0, dependencies=[])
    user = Provider(lambda ref: ref.watch(scoped))
    with pytest.raises(ProviderError) as caught:
        container.read(user)
    assert isinstance(caught.value.__cause__, MissingDependencyError)
    reported.clear()


async def test_a_family_may_use_itself_recursively(container: ProviderContainer) -> None:
    dep = Provider(lambda ref: "base", dependencies=[])

    @Provider.options(dependencies=[dep]).family
    def family(ref: Ref, key: int) -> str:
        return ref.watch(dep) if key == 0 else ref.watch(family(key - 1)) + "+"

    assert container.read(family(3)) == "base+++"
