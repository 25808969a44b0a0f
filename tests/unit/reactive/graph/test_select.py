"""select: listening to a part of a value."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.reactive.declared import build_that_raises, failure_of
from tests.unit.reactive.matrix import Variant, ignore, settled, variants
from tests.unit.reactive.recording import recording_builds
from tetherpy.reactive import Provider, ProviderContainer, Ref, StateProvider


@variants(auto_dispose=False)
async def test_a_change_of_the_selected_part_rebuilds_a_watcher(variant: Variant, container: ProviderContainer) -> None:
    builds: list[Any] = []
    number = StateProvider(lambda ref: 0)
    provider = variant.declare(lambda ref: ref.watch(number))

    @Provider
    def is_even(ref: Ref) -> bool | None:
        part = provider.select(
            lambda state: None if variant.is_async and not state.has_value else _data(state, variant) % 2 == 0
        )
        builds.append(ref.watch(part))
        return builds[-1]

    container.listen(is_even, ignore)
    await settled(container, provider)
    assert container.read(is_even) is True
    builds.clear()
    for value, rebuilt in ((2, []), (3, [False]), (5, []), (6, [True])):
        container.read(number.notifier).state = value
        await container.pump()
        await settled(container, provider)
        await container.pump()
        assert container.read(is_even) is (value % 2 == 0)
        assert builds == rebuilt
        builds.clear()


def _data(state: Any, variant: Variant) -> int:
    return state.value if variant.is_async else state


async def test_selectors_can_be_chained(container: ProviderContainer) -> None:
    builds: list[bool] = []
    number = StateProvider(lambda ref: 0)
    is_low = number.select(lambda value: value % 10).select(lambda digit: digit < 5)
    provider = recording_builds(builds, lambda ref: ref.watch(is_low))
    for value, expected, count in ((0, True, 1), (3, True, 1), (7, False, 2), (8, False, 2), (18, False, 2)):
        container.read(number.notifier).state = value
        assert container.read(provider) is expected
        assert len(builds) == count


async def test_notifier_and_future_can_be_selected_from(container: ProviderContainer) -> None:
    number = StateProvider(lambda ref: 1)
    add = container.read(number.notifier.select(lambda controller: controller.update))
    assert add(lambda value: value + 1) == 2


async def test_errors_bypass_the_selector(container: ProviderContainer, reported: list[BaseException]) -> None:
    failing = Provider(build_that_raises(OSError("no")))

    @Provider
    def provider(ref: Ref) -> Any:
        return ref.watch(failing.select(lambda value: pytest.fail("the selector was called")))

    assert isinstance(failure_of(container, provider), OSError)
    assert [type(error) for error in reported] == [OSError]
    reported.clear()


async def test_the_dependency_is_shown_as_the_selected_provider(container: ProviderContainer) -> None:
    number = StateProvider(lambda ref: 0)
    provider = Provider(lambda ref: ref.watch(number.select(str)))
    container.read(provider)
    assert container.explain(provider).watches == (number,)
    assert container.explain(number).watched_by == (provider,)


async def test_a_selected_part_read_from_a_container_is_up_to_date(container: ProviderContainer) -> None:
    number = StateProvider(lambda ref: 0)
    for value in range(3):
        container.read(number.notifier).state = value
        assert container.read(number.select(str)) == str(value)


async def test_closed_selectors_leak_nothing(container: ProviderContainer) -> None:
    number = StateProvider.auto_dispose(lambda ref: 0)
    for _ in range(3):
        container.listen(number.select(str), ignore).close()
        container.read(number.select(str))
    await container.pump()
    assert container.elements == {}
