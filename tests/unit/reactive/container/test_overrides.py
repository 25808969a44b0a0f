"""Overrides: a replacement for a provider, its build, its value or a whole family."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.reactive.matrix import ASYNC, ASYNC_NOTIFIERS, NOTIFIERS, Variant, ignore, known, settled, variants
from tetherpy.reactive import (
    AsyncData,
    AsyncError,
    AsyncLoading,
    AsyncValue,
    FutureProvider,
    Provider,
    ProviderContainer,
    Ref,
    StateProvider,
)
from tetherpy.reactive.errors import (
    DuplicateOverrideError,
    NotScopedError,
    OverrideMismatchError,
    ProviderDisposedError,
)


@variants()
async def test_a_provider_or_family_is_replaced_by_another_function(variant: Variant) -> None:
    provider = variant.declare(lambda ref: "original")
    override = variant.overridden(provider, lambda ref: "replacement")
    assert override.origin is (provider.of_family if variant.family else provider)
    async with ProviderContainer(overrides=[override]) as container:
        assert await settled(container, provider) == "replacement"
        container.invalidate(provider)
        assert await settled(container, provider) == "replacement"


@variants(auto_dispose=False)
async def test_a_scoped_provider_is_replaced_only_in_its_container(
    variant: Variant, container: ProviderContainer
) -> None:
    provider = variant.declare(lambda ref: "original", dependencies=[])
    child = ProviderContainer(parent=container, overrides=[variant.overridden(provider, lambda ref: "replacement")])
    leaf = ProviderContainer(parent=child)
    assert await settled(leaf, provider) == "replacement"
    assert await settled(container, provider) == "original"
    assert child.exists(provider)
    assert [p is provider for p in container.all_providers()] == [True]


async def test_the_replacement_gets_the_arguments_of_the_family() -> None:
    def create(ref: Ref, first: int, second: str = "x") -> str:
        return f"original {first} {second}"

    family = Provider.family(create)

    override = family.override_with(lambda ref, first, second="x": f"replacement {first} {second}")
    with ProviderContainer(overrides=[override]) as container:
        assert container.read(family(1, second="y")) == "replacement 1 y"
        assert container.read(family(1)) == "replacement 1 x"


async def test_one_member_of_a_family_can_be_replaced() -> None:
    family = Provider.family(lambda ref, key: f"original {key}")
    other = Provider.family(lambda ref, key: f"other {key}")
    overrides = [family(1).override_with_value("one"), family.override_with(lambda ref, key: f"replacement {key}")]
    for order in (overrides, overrides[::-1]):
        with ProviderContainer(overrides=order) as container:
            assert [container.read(family(key)) for key in (0, 1)] == ["replacement 0", "one"]
            assert container.read(other(0)) == "other 0"


async def test_two_overrides_of_one_provider_are_refused() -> None:
    provider = Provider(lambda ref: 0)
    family = Provider.family(lambda ref, key: 0)
    for origin, override in (
        (provider, lambda: provider.override_with_value(1)),
        (family, lambda: family.override_with(lambda ref, key: 1)),
    ):
        with pytest.raises(DuplicateOverrideError) as caught:
            ProviderContainer(overrides=[override(), override()])
        assert caught.value.provider is origin


async def test_different_containers_may_override_the_same_provider(container: ProviderContainer) -> None:
    provider = Provider(lambda ref: 0, dependencies=[])
    one = ProviderContainer(parent=container, overrides=[provider.override_with_value(1)])
    two = ProviderContainer(parent=one, overrides=[provider.override_with_value(2)])
    assert [c.read(provider) for c in (container, one, two)] == [0, 1, 2]


async def test_a_provider_that_is_not_scoped_cannot_be_overridden_in_a_child(container: ProviderContainer) -> None:
    provider = Provider(lambda ref: 0)
    family = Provider.family(lambda ref, key: 0)
    for override in (
        provider.override_with_value(1),
        family.override_with(lambda ref, key: 1),
        family(1).override_with_value(1),
    ):
        with pytest.raises(NotScopedError) as caught:
            ProviderContainer(parent=container, overrides=[override])
        assert caught.value.provider is override.origin


async def test_an_override_names_the_provider_it_replaces() -> None:
    provider = Provider(lambda ref: 0, name="answer")
    family = Provider.options(name="answers").family(lambda ref, key: 0)
    assert "answer" in repr(provider.override_with_value(1))
    assert "answers(7)" in repr(family(7).override_with(lambda ref: 1))
    assert "answers" in repr(family.override_with(lambda ref, key: 1))


# -- with a value --------------------------------------------------------------------------------


@variants("Provider", "StateProvider", auto_dispose=False)
async def test_a_synchronous_provider_is_replaced_by_a_value(variant: Variant) -> None:
    provider = variant.declare(lambda ref: 1 // 0)
    with ProviderContainer(overrides=[provider.override_with_value(42)]) as container:
        assert container.read(provider) == 42


ERROR, OTHER_ERROR = OSError("no"), OSError("neither")
STATES: list[AsyncValue[int]] = [
    AsyncData(1),
    AsyncData(2),
    AsyncError(ERROR),
    AsyncError(OTHER_ERROR),
    AsyncLoading(),
]


@variants(*ASYNC, auto_dispose=False)
@pytest.mark.parametrize("before", STATES, ids=repr)
@pytest.mark.parametrize("after", STATES, ids=repr)
async def test_an_asynchronous_provider_is_replaced_by_a_state_that_can_be_replaced_again(
    variant: Variant, before: AsyncValue[int], after: AsyncValue[int]
) -> None:
    provider = variant.declare(lambda ref: 1 // 0)
    heard: list[Any] = []
    async with ProviderContainer(overrides=[provider.override_with_value(before)]) as container:
        container.listen(provider, lambda previous, value: heard.append(value))
        assert container.read(provider) == before
        pending = container.read(provider.future)
        if not isinstance(before, AsyncLoading):
            assert await _outcome(pending) == _settled(before)

        container.update_overrides([provider.override_with_value(after)])
        await container.pump()
        state = container.read(provider)
        assert type(state.unwrap_previous()) is type(after)
        assert state.is_loading is after.is_loading
        assert len(heard) == (0 if before == after else 1)
        if not isinstance(after, AsyncLoading):
            assert state == after or isinstance(after, AsyncError)
            assert await _outcome(container.read(provider.future)) == _settled(after)
            if isinstance(before, AsyncLoading):
                assert await _outcome(pending) == _settled(after)
        else:
            last = container.read(provider.future)
    if isinstance(after, AsyncLoading):
        with pytest.raises(ProviderDisposedError):
            await last


def _settled(state: AsyncValue[int]) -> object:
    return state.error if state.has_error else state.value


async def _outcome(future: Any) -> object:
    try:
        return await future
    except OSError as error:
        return error


async def test_a_loading_override_keeps_the_data_like_a_refresh() -> None:
    provider = FutureProvider(lambda ref: 0)
    with ProviderContainer(overrides=[provider.override_with_value(AsyncData(1))]) as container:
        container.listen(provider, ignore)
        container.update_overrides([provider.override_with_value(AsyncLoading())])
        state = container.read(provider)
        assert state.value == 1
        assert state.is_loading


# -- notifiers -----------------------------------------------------------------------------------


@variants(*NOTIFIERS)
async def test_the_build_of_a_notifier_is_replaced_and_its_methods_stay(variant: Variant) -> None:
    provider = variant.declare(lambda ref: "original", dependencies=[])
    built: list[Any] = []

    def build(ref: Any, notifier: Any) -> Any:
        built.append(notifier)
        assert notifier.ref is ref
        return _as_result(variant, "replacement")

    async with ProviderContainer(overrides=[provider.override_with_build(build)]) as container:
        container.listen(provider, ignore)
        assert await settled(container, provider) == "replacement"
        notifier = container.read(provider.notifier)
        assert built == [notifier]
        notifier.state = AsyncData("set") if variant.is_async else "set"
        assert known(container.read(provider), variant) == "set"
        container.invalidate(provider)
        assert await settled(container, provider) == "replacement"
        assert built == [notifier, notifier]


def _as_result(variant: Variant, value: Any) -> Any:
    if variant.kind == "StreamNotifierProvider":
        import reactivex

        return reactivex.just(value)
    return value


@variants(*ASYNC_NOTIFIERS, auto_dispose=False)
async def test_an_asynchronous_notifier_is_replaced_by_a_state_and_can_still_be_set(variant: Variant) -> None:
    provider = variant.declare(lambda ref: 0)
    async with ProviderContainer(overrides=[provider.override_with_value(AsyncData(42))]) as container:
        assert container.read(provider) == AsyncData(42)


# -- update_overrides ----------------------------------------------------------------------------


async def test_update_overrides_accepts_the_same_providers_only() -> None:
    a, b = Provider(lambda ref: 0), Provider(lambda ref: 0)
    family = Provider.family(lambda ref, key: 0)
    with ProviderContainer(overrides=[a.override_with_value(1), b.override_with_value(2)]) as container:
        wrong: list[list[Any]] = [
            [],
            [a.override_with_value(3)],
            [b.override_with_value(3), a.override_with_value(3)],
            [a.override_with_value(3), family.override_with(lambda ref, key: 3)],
            [a.override_with_value(3), b.override_with_value(3), family(0).override_with_value(3)],
        ]
        for overrides in wrong:
            with pytest.raises(OverrideMismatchError) as caught:
                container.update_overrides(overrides)
            assert caught.value.expected == (a, b)
            assert caught.value.given == tuple(override.origin for override in overrides)
        assert [container.read(a), container.read(b)] == [1, 2]


async def test_new_overrides_notify_listeners_of_all_containers_once() -> None:
    a = Provider(lambda ref: -1, dependencies=[])
    b = Provider(lambda ref: -1, dependencies=[])
    total = Provider(lambda ref: ref.watch(a) + ref.watch(b), dependencies=[a, b])
    log: list[Any] = []
    with ProviderContainer() as root:
        scope = ProviderContainer(parent=root, overrides=[a.override_with_value(21), b.override_with_value(42)])
        leaf = ProviderContainer(parent=scope)
        for provider in (a, b, total):
            leaf.listen(provider, lambda previous, value: log.append((previous, value)))

        scope.update_overrides([a.override_with_value(22), b.override_with_value(43)])
        assert [leaf.read(p) for p in (a, b, total)] == [22, 43, 65]
        await scope.pump()
        assert log == [(21, 22), (42, 43), (63, 65)]

        scope.update_overrides([a.override_with_value(22), b.override_with_value(43)])
        await scope.pump()
        assert len(log) == 3


async def test_new_overrides_build_no_unbuilt_provider() -> None:
    provider = Provider(lambda ref: 0, dependencies=[])
    family = Provider.options(dependencies=[]).family(lambda ref, key: 0)
    builds: list[int] = []

    def overrides(number: int) -> list[Any]:
        return [
            provider.override_with(lambda ref: builds.append(number)),
            family.override_with(lambda ref, key: builds.append(number)),
        ]

    with ProviderContainer() as root:
        scope = ProviderContainer(parent=root, overrides=overrides(1))
        scope.update_overrides(overrides(2))
        await scope.pump()
        assert builds == []
        assert scope.all_providers() == []
        scope.read(provider)
        scope.read(family(0))
        assert builds == [2, 2]


async def test_an_override_in_a_child_container_hides_those_of_its_parents() -> None:
    provider = Provider(lambda ref: 0, dependencies=[])
    log: list[int] = []
    with ProviderContainer(overrides=[provider.override_with_value(1)]) as root:
        scope = ProviderContainer(parent=root, overrides=[provider.override_with_value(42)])
        scope.listen(provider, lambda previous, value: log.append(value))
        root.update_overrides([provider.override_with_value(2)])
        await scope.pump()
        assert log == []
        assert [root.read(provider), scope.read(provider)] == [2, 42]


async def test_a_state_that_was_set_is_dropped_only_by_its_own_override() -> None:
    counter = StateProvider(lambda ref: 0)
    never_built = FutureProvider(lambda ref: 0)

    def overrides(count: int, state: int) -> list[Any]:
        return [counter.override_with_value(count), never_built.override_with_value(AsyncData(state))]

    with ProviderContainer(overrides=overrides(1, 1)) as container:
        container.read(counter.notifier).state = 7
        assert container.read(counter) == 7
        container.update_overrides(overrides(2, 2))
        assert container.read(counter) == 2
        assert container.read(never_built) == AsyncData(2)
