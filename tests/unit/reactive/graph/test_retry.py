"""Retry: when and how often a failed build is repeated, and the state between attempts, with a test clock."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.reactive.builders import async_notifier_of
from tests.unit.reactive.matrix import ASYNC, SYNC, Variant, ignore, variants
from tests.unit.reactive.recording import numbered
from tetherpy.reactive import (
    AsyncData,
    AsyncError,
    AsyncLoading,
    FutureProvider,
    Provider,
    ProviderContainer,
    Ref,
    StateProvider,
    exponential_retry,
    never,
)
from tetherpy.reactive.errors import ProviderError
from tetherpy.testing import Clock


class Policy:
    """A retry policy that records its calls."""

    def __init__(self, *delays: float | timedelta | None) -> None:
        self.asked: list[tuple[int, Exception]] = []
        self.delays = delays

    def __call__(self, count: int, error: Exception) -> float | timedelta | None:
        self.asked.append((count, error))
        return self.delays[min(count, len(self.delays) - 1)]

    @property
    def counts(self) -> list[int]:
        return [count for count, _ in self.asked]


class Failing:
    """A build that fails until the test repairs it, and counts its calls."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error: Exception | None = error or OSError("no")
        self.builds = 0

    def __call__(self, ref: Ref) -> int:
        self.builds += 1
        if self.error is not None:
            raise self.error
        return 42


def container_with(retry: Any) -> ProviderContainer:
    return ProviderContainer(retry=retry, on_error=lambda error, provider: None)


# -- common to all kinds -------------------------------------------------------------------------


@variants(auto_dispose=False)
async def test_a_failed_build_is_repeated_after_the_delay(variant: Variant, clock: Clock) -> None:
    async with container_with(None) as container:
        build, policy = Failing(), Policy(1, timedelta(seconds=2), None)
        provider = variant.declare(build, retry=policy)
        container.listen(provider, ignore)
        await clock.advance(0)
        assert (build.builds, policy.asked) == (1, [(0, build.error)])
        await clock.advance(0.9)
        assert build.builds == 1
        await clock.advance(0.1)
        assert build.builds == 2
        await clock.advance(1.9)
        assert build.builds == 2
        await clock.advance(0.1)
        assert (build.builds, policy.counts) == (3, [0, 1, 2])
        await clock.advance(1_000)
        assert build.builds == 3


@variants(*ASYNC, auto_dispose=False)
async def test_during_retries_an_asynchronous_state_is_loading_with_the_error(variant: Variant, clock: Clock) -> None:
    async with container_with(Policy(1, None)) as container:
        build = Failing()
        provider = variant.declare(build)
        container.listen(provider, ignore)
        future = asyncio.ensure_future(_awaited(container.read(provider.future)))
        await clock.advance(0)
        state = container.read(provider)
        assert (type(state), state.retrying, state.error) == (AsyncLoading, True, build.error)
        assert not future.done()

        build.error = OSError("again")
        await clock.advance(1)
        state = container.read(provider)
        assert (type(state), state.retrying, state.error) == (AsyncError, False, build.error)
        with pytest.raises(OSError, match="again"):
            await future

        build.error = None
        assert container.refresh(provider).is_loading is (variant.kind != "StreamProvider-rx")
        assert await container.read(provider.future) == 42
        assert container.read(provider) == AsyncData(42)


async def _awaited(future: Any) -> Any:
    return await future


@variants(*SYNC, auto_dispose=False)
async def test_a_synchronous_provider_is_in_error_until_a_retry_succeeds(variant: Variant, clock: Clock) -> None:
    async with container_with(Policy(1)) as container:
        build = Failing()
        provider = variant.declare(build)
        told: list[Any] = []
        container.listen(provider, lambda previous, value: told.append(value), on_error=told.append)
        with pytest.raises(ProviderError):
            container.read(provider)
        build.error = mended = OSError("still")
        await clock.advance(1)
        assert told == [mended]
        build.error = None
        await clock.advance(1)
        assert told == [mended, 42]
        assert container.read(provider) == 42
        await clock.advance(1_000)
        assert build.builds == 3


@variants(auto_dispose=False)
async def test_the_policy_of_a_provider_has_priority_over_that_of_the_container(variant: Variant, clock: Clock) -> None:
    policy, other = Policy(1), Policy(1)
    async with container_with(other) as container:
        provider = variant.declare(Failing(), retry=policy)
        quiet = variant.declare(Failing(), retry=never)
        for declared in (provider, quiet):
            container.listen(declared, ignore)
        await clock.advance(0)
        assert (policy.counts, other.counts) == ([0], [])


@variants(auto_dispose=False)
async def test_a_success_resets_the_count(variant: Variant, clock: Clock) -> None:
    policy = Policy(1)
    async with container_with(policy) as container:
        build = Failing()
        provider = variant.declare(build)
        container.listen(provider, ignore)
        await clock.advance(0)
        await clock.advance(1)
        assert policy.counts == [0, 1]
        build.error = None
        await clock.advance(1)
        build.error = OSError("later")
        container.invalidate(provider)
        await clock.advance(0)
        assert policy.counts == [0, 1, 0]


@pytest.mark.parametrize("by", ["dependency", "as_reload"])
@variants(auto_dispose=False)
async def test_a_reload_resets_the_count(variant: Variant, by: str, clock: Clock) -> None:
    policy = Policy(1)
    async with container_with(policy) as container:
        dep = StateProvider(lambda ref: 0)
        build = Failing()

        def create(ref: Ref) -> int:
            ref.watch(dep)
            return build(ref)

        provider = variant.declare(create)
        container.listen(provider, ignore)
        await clock.advance(0)
        await clock.advance(1)
        assert policy.counts == [0, 1]
        if by == "dependency":
            container.read(dep.notifier).state += 1
        else:
            container.invalidate(provider, as_reload=True)
        await clock.advance(0)
        await clock.advance(1)
        assert policy.counts == [0, 1, 0, 1]
        assert build.builds == 4


@variants(auto_dispose=False)
async def test_disposal_stops_the_retries(variant: Variant, clock: Clock) -> None:
    container = container_with(Policy(1))
    build = Failing()
    provider = variant.declare(build)
    container.listen(provider, ignore)
    await clock.advance(0)
    assert build.builds == 1
    await container.aclose()
    await clock.advance(1_000)
    assert build.builds == 1


async def test_a_failure_after_disposal_does_not_call_the_policy(clock: Clock) -> None:
    policy = Policy(1)
    container = container_with(policy)
    gate: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @FutureProvider
    async def provider(ref: Ref) -> int:
        return await asyncio.shield(gate)

    container.listen(provider, ignore)
    await clock.advance(0)
    await container.aclose()
    gate.set_exception(OSError("late"))
    await clock.advance(1)
    assert policy.asked == []
    with pytest.raises(OSError, match="late"):
        gate.result()


async def test_an_error_in_a_policy_stops_the_retries_and_is_reported(clock: Clock) -> None:
    reported: list[str] = []

    def broken(count: int, error: Exception) -> float:
        raise LookupError("oops")

    container = ProviderContainer(retry=broken, on_error=lambda error, provider: reported.append(str(error)))
    build = Failing()
    provider = Provider(build)
    container.listen(provider, ignore)
    await clock.advance(1_000)
    assert build.builds == 1
    assert sorted(reported) == ["no", "oops"]
    await container.aclose()


async def test_a_state_that_is_set_to_an_error_is_not_retried(clock: Clock) -> None:
    policy = Policy(1)

    builds: list[int] = []

    async with container_with(policy) as container:
        provider = async_notifier_of(numbered(builds))
        container.listen(provider, ignore)
        container.read(provider.notifier).state = AsyncError(OSError("set"))
        await clock.advance(1_000)
        assert (policy.asked, builds) == ([], [0])


async def test_an_error_of_a_dependency_is_retried_only_there(clock: Clock) -> None:
    async with container_with(exponential_retry) as container:
        source = Provider(Failing(), retry=never)
        builds: list[int] = []

        @Provider
        def user(ref: Ref) -> int:
            builds.append(0)
            return ref.watch(source)

        container.listen(user, ignore)
        await clock.advance(3_600)
        assert len(builds) == 1


async def test_a_retry_is_not_a_manual_invalidation(clock: Clock) -> None:
    log: list[str] = []
    async with container_with(Policy(1, None)) as container:

        @Provider
        def provider(ref: Ref) -> int:
            ref.on_manual_invalidation(lambda: log.append("manual"))
            log.append("built")
            raise OSError("no")

        container.listen(provider, ignore)
        await clock.advance(1)
        assert log == ["built", "built"]


# -- the exported policy -------------------------------------------------------------------------


async def test_exponential_retry_waits_from_200_ms_to_6_4_seconds_ten_times(clock: Clock) -> None:
    async with container_with(exponential_retry) as container:
        build = Failing()
        container.listen(Provider(build), ignore)
        delays = [0.2, 0.4, 0.8, 1.6, 3.2, *[6.4] * 5]
        for count, delay in enumerate(delays, start=1):
            await clock.advance(delay - 0.01)
            assert build.builds == count
            await clock.advance(0.01)
            assert build.builds == count + 1
        await clock.advance(3_600)
        assert build.builds == 11


@pytest.mark.parametrize(
    "error", [TypeError("x"), AttributeError("x"), NameError("x"), AssertionError("x"), KeyError()]
)
async def test_exponential_retry_does_not_retry_programming_errors(error: Exception, clock: Clock) -> None:
    async with container_with(exponential_retry) as container:
        build = Failing(error)
        container.listen(Provider(build), ignore)
        await clock.advance(3_600)
        assert build.builds == 1
