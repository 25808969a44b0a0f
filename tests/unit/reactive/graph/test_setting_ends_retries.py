"""Setting a state cancels the retries of its provider: the next attempt would replace it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.reactive.matrix import ASYNC_NOTIFIERS, Variant, ignore, until
from tetherpy.reactive import AsyncData, AsyncError, AsyncLoading, ProviderContainer
from tetherpy.testing import Clock


class Failing:
    """Builds that fail until the test repairs them."""

    def __init__(self) -> None:
        self.builds = 0

    def __call__(self, *ref: Any) -> int:
        self.builds += 1
        raise OSError("no")


SYNC = ("StateProvider", "NotifierProvider")
STATES = {"data": AsyncData(7), "an error": AsyncError(ValueError("mine")), "loading": AsyncLoading()}
CASES = [(kind, 7) for kind in SYNC]
CASES += [(kind, state) for kind in ASYNC_NOTIFIERS for state in STATES.values()]


@pytest.mark.parametrize(("kind", "value"), CASES)
async def test_a_retry_does_not_replace_a_state_that_was_set(kind: str, value: Any, clock: Clock) -> None:
    build = Failing()
    provider = Variant(kind, auto_dispose=False, family=False).declare(build)
    async with ProviderContainer(retry=lambda count, error: 1, on_error=lambda error, provider: None) as container:
        container.listen(provider, ignore)
        await until(lambda: build.builds == 1)
        await container.pump()
        for _ in range(3):
            await clock.advance(1.5)
            await container.pump()
        tried = build.builds
        assert tried > 1, "the build is repeated"
        container.read(provider.notifier).state = value
        shown = container.read(provider)
        await clock.advance(100)
        await container.pump()
        assert build.builds == tried
        assert container.read(provider) == shown
        if kind in SYNC:
            assert shown == value
        else:
            assert type(shown) is type(value)


@pytest.mark.parametrize("kind", SYNC)
async def test_a_later_failure_is_retried_from_the_beginning(kind: str, clock: Clock) -> None:
    build = Failing()
    asked: list[int] = []
    provider = Variant(kind, auto_dispose=False, family=False).declare(build)

    def policy(count: int, error: Exception) -> float:
        asked.append(count)
        return 1

    async with ProviderContainer(retry=policy, on_error=lambda error, provider: None) as container:
        container.listen(provider, ignore)
        await clock.advance(1.5)
        await container.pump()
        assert asked == [0, 1]
        container.read(provider.notifier).state = 7
        container.invalidate(provider)
        await container.pump()
        assert asked == [0, 1, 0]
