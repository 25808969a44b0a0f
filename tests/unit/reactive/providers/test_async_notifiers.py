"""Asynchronous notifiers: an AsyncValue state that is set by methods and by the build."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.unit.reactive.declared import Box
from tests.unit.reactive.matrix import ASYNC_NOTIFIERS, Variant, ignore, until, variants
from tests.unit.reactive.recording import changes_of, recording_disposal
from tetherpy.reactive import (
    AsyncData,
    AsyncError,
    AsyncLoading,
    AsyncNotifier,
    AsyncNotifierProvider,
    Provider,
    ProviderContainer,
    StateProvider,
    StreamNotifier,
    StreamNotifierProvider,
)
from tetherpy.reactive.errors import (
    ChangeDuringBuildError,
    NotifierNotReadyError,
    ProviderDisposedError,
    ProviderError,
    WrongThreadError,
)

both = variants(*ASYNC_NOTIFIERS)
ERROR = OSError("no")


async def _awaited(future: Any) -> Any:
    return await future


def waiting(future: Any) -> asyncio.Task[Any]:
    """Await a future in a separate task."""
    return asyncio.ensure_future(_awaited(future))


class Waits(AsyncNotifier[int]):
    """Returns the values that the test sets on ``answer``, once for each build."""

    def __init__(self) -> None:
        self.answers: list[asyncio.Future[int]] = []

    async def build(self) -> int:
        self.answers.append(asyncio.get_running_loop().create_future())
        return await self.answers[-1]


async def begun(notifier: Waits, builds: int = 1) -> asyncio.Future[int]:
    """Wait until a build waits for its answer, and return that answer."""
    await until(lambda: len(notifier.answers) >= builds)
    return notifier.answers[builds - 1]


# -- the instance --------------------------------------------------------------------------------


@pytest.mark.parametrize("base", [AsyncNotifier, StreamNotifier])
def test_before_its_build_a_notifier_has_no_ref_and_no_state(base: type[Any]) -> None:
    made = type("Made", (base,), {})
    uses: list[Any] = [
        lambda: made().state,
        lambda: setattr(made(), "state", AsyncData(42)),
        lambda: made().future,
        lambda: made().ref,
    ]
    for use in uses:
        with pytest.raises(NotifierNotReadyError):
            use()


async def test_one_instance_belongs_to_one_provider(
    container: ProviderContainer, reported: list[BaseException]
) -> None:
    shared = Waits()
    one, other = AsyncNotifierProvider(lambda: shared), AsyncNotifierProvider(lambda: shared)
    container.read(one)
    state = container.read(other)
    assert isinstance(state, AsyncError)
    assert isinstance(state.error, NotifierNotReadyError)
    reported.clear()


async def test_an_error_in_the_constructor_is_an_error_of_provider_notifier_and_future(
    container: ProviderContainer, reported: list[BaseException]
) -> None:
    def make() -> Waits:
        raise ERROR

    provider = AsyncNotifierProvider(make)
    assert changes_of(container, provider, fire_immediately=True) == [(None, AsyncError(ERROR))]
    with pytest.raises(ProviderError) as caught:
        container.read(provider.notifier)
    assert caught.value.__cause__ is ERROR
    with pytest.raises(ProviderError):
        container.listen(provider.notifier, ignore).read()
    with pytest.raises(OSError, match="no"):
        await container.read(provider.future)
    assert reported[0] is ERROR
    reported.clear()


# -- setting the state ---------------------------------------------------------------------------


@both
async def test_a_state_that_is_set_keeps_previous_data(variant: Variant, container: ProviderContainer) -> None:
    provider = variant.declare(lambda ref: 0)
    notifier = container.listen(provider.notifier, ignore).read()
    await container.read(provider.future)

    data = AsyncData(84)
    notifier.state = data
    assert notifier.state is data
    notifier.state = AsyncLoading()
    assert notifier.state == AsyncLoading[int]().copy_with_previous(data, is_refresh=False)
    notifier.state = AsyncError(ERROR)
    assert notifier.state == AsyncError[int](ERROR).copy_with_previous(data)
    assert notifier.state == container.read(provider)


@both
async def test_a_state_that_is_set_notifies_immediately(variant: Variant, container: ProviderContainer) -> None:
    provider = variant.declare(lambda ref: 0)
    told = changes_of(container, provider)
    await container.read(provider.future)
    told.clear()
    container.read(provider.notifier).state = AsyncData(42)
    assert told == [(AsyncData(0), AsyncData(42))]


@both
async def test_equal_states_do_not_notify(variant: Variant, container: ProviderContainer) -> None:
    provider = variant.declare(lambda ref: Box(42))
    told = changes_of(container, provider)
    await container.read(provider.future)
    told.clear()
    notifier = container.read(provider.notifier)
    notifier.state = notifier.state
    notifier.state = AsyncData(Box(42))
    assert told == []
    notifier.state = AsyncData(Box(21))
    assert told == [(AsyncData(Box(42)), AsyncData(Box(21)))]


async def test_update_should_notify_replaces_the_filter(container: ProviderContainer) -> None:
    class Silent(AsyncNotifier[int]):
        def build(self) -> int:
            return 0

        def update_should_notify(self, previous: Any, next: Any) -> bool:  # noqa: A002  the contract's name
            return False

    provider = AsyncNotifierProvider(Silent)
    notifier = container.read(provider.notifier)
    told = changes_of(container, provider)
    told_futures = changes_of(container, provider.future)
    notifier.state = AsyncData(42)
    assert await container.read(provider.future) == 42
    notifier.state = AsyncError(ERROR)
    with pytest.raises(OSError, match="no"):
        await container.read(provider.future)
    notifier.state = AsyncLoading()
    await container.pump()
    assert told == told_futures == []


@both
async def test_the_future_has_the_state_that_is_set_during_loading(
    variant: Variant, container: ProviderContainer
) -> None:
    provider = variant.declare(lambda ref: 42)
    notifier = container.listen(provider.notifier, ignore).read()
    pending = waiting(notifier.future)
    notifier.state = AsyncData(21)
    assert await pending == 21


async def test_the_build_continues_after_the_state_was_set(container: ProviderContainer) -> None:
    provider = AsyncNotifierProvider(Waits)
    told = changes_of(container, provider)
    notifier = container.read(provider.notifier)
    answer = await begun(notifier)
    notifier.state = AsyncData(21)
    assert await notifier.future == 21
    answer.set_result(42)
    await until(lambda: container.read(provider) == AsyncData(42))
    assert await notifier.future == 42
    assert told == [(AsyncLoading(), AsyncData(21)), (AsyncData(21), AsyncData(42))]


async def test_setting_a_loading_state_waits_for_the_build_again(container: ProviderContainer) -> None:
    provider = AsyncNotifierProvider(Waits)
    container.listen(provider, ignore)
    notifier = container.read(provider.notifier)
    answer = await begun(notifier)
    notifier.state = AsyncData(21)
    notifier.state = AsyncLoading()
    pending = waiting(container.read(provider.future))
    await asyncio.sleep(0)
    assert not pending.done()
    answer.set_result(42)
    assert await pending == 42


async def test_a_loading_state_settles_no_future(container: ProviderContainer) -> None:
    provider = AsyncNotifierProvider(Waits)
    container.listen(provider, ignore)
    notifier = container.read(provider.notifier)
    answer = await begun(notifier)
    pending = waiting(notifier.future)
    notifier.state = AsyncLoading[int]().copy_with_previous(AsyncData(21))
    assert container.read(provider) == AsyncLoading[int]().copy_with_previous(AsyncData(21))
    await asyncio.sleep(0)
    assert not pending.done()
    answer.set_result(42)
    assert await pending == 42


async def test_disposal_ends_a_loading_state() -> None:
    container = ProviderContainer()
    provider = AsyncNotifierProvider(Waits)
    notifier = container.read(provider.notifier)
    (await begun(notifier)).set_result(42)
    assert await notifier.future == 42
    notifier.state = AsyncLoading()
    future = notifier.future
    await container.aclose()
    with pytest.raises(ProviderDisposedError):
        await future


async def test_the_future_of_the_notifier_is_that_of_the_provider(container: ProviderContainer) -> None:
    provider = AsyncNotifierProvider(Waits)
    subscription = container.listen(provider.future, ignore)
    assert container.read(provider.notifier).future is subscription.read()
    container.read(provider.notifier).state = AsyncData(1)
    assert await subscription.read() == 1
    container.read(provider.notifier).state = AsyncData(2)
    assert await subscription.read() == 2


# -- the state during the build ------------------------------------------------------------------


@pytest.mark.parametrize("state", [AsyncData(9), AsyncLoading[int](), AsyncError[int](ERROR)], ids=repr)
@pytest.mark.parametrize("by", ["another thread", "another build"])
@both
async def test_a_refused_state_leaves_the_future_as_it_was(
    by: str, state: Any, variant: Variant, container: ProviderContainer, reported: list[Any]
) -> None:
    provider = variant.declare(lambda ref: 1)
    container.listen(provider, ignore)
    assert await container.read(provider.future) == 1
    notifier = container.read(provider.notifier)

    def change(_: object = None) -> None:
        notifier.state = state

    if by == "another thread":
        with pytest.raises(WrongThreadError):
            await asyncio.to_thread(change)
    else:
        with pytest.raises(ProviderError) as refused:
            container.read(Provider(change))
        assert isinstance(refused.value.__cause__, ChangeDuringBuildError)
        reported.clear()
    assert container.read(provider) == AsyncData(1)
    assert await asyncio.wait_for(container.read(provider.future), 5) == 1


async def test_the_state_can_be_read_and_set_during_the_build(container: ProviderContainer) -> None:
    seen: list[Any] = []
    dep = StateProvider(lambda ref: 0)

    class Reads(AsyncNotifier[int]):
        async def build(self) -> int:
            seen.append(self.state)
            return self.ref.watch(dep)

    provider = AsyncNotifierProvider(Reads)
    container.listen(provider, ignore)
    assert await container.read(provider.future) == 0
    container.read(provider.notifier).state = AsyncData(42)
    container.refresh(provider)
    await container.read(provider.future)
    assert seen == [AsyncLoading(), AsyncLoading[int]().copy_with_previous(AsyncData(42))]


async def test_each_state_set_during_the_build_notifies_and_then_the_result_does(container: ProviderContainer) -> None:
    class Steps(AsyncNotifier[int]):
        async def build(self) -> int:
            for step in (1, 2):
                await asyncio.sleep(0)
                self.state = AsyncData(step)
            await asyncio.sleep(0)
            return 3

    provider = AsyncNotifierProvider(Steps)
    told = changes_of(container, provider, fire_immediately=True)
    await until(lambda: container.read(provider) == AsyncData(3))
    assert [state for _, state in told] == [AsyncLoading(), AsyncData(1), AsyncData(2), AsyncData(3)]


async def test_returning_its_own_future_notifies_once(container: ProviderContainer) -> None:
    class Own(AsyncNotifier[int]):
        async def build(self) -> int:
            await asyncio.sleep(0)
            known = self.state.value
            self.state = AsyncData(0 if known is None else known + 1)
            return await self.future

    provider = AsyncNotifierProvider(Own)
    told = changes_of(container, provider)
    assert await container.read(provider.future) == 0
    container.invalidate(provider)
    assert await container.read(provider.future) == 1
    await asyncio.sleep(0)
    assert told == [
        (AsyncLoading(), AsyncData(0)),
        (AsyncData(0), AsyncLoading[int]().copy_with_previous(AsyncData(0))),
        (AsyncLoading[int]().copy_with_previous(AsyncData(0)), AsyncData(1)),
    ]


async def test_progress_can_be_set(container: ProviderContainer) -> None:
    class Progresses(AsyncNotifier[int]):
        async def build(self) -> int:
            self.state = AsyncLoading(progress=0.5)
            await asyncio.sleep(0)
            self.state = AsyncLoading(progress=1)
            return 0

    provider = AsyncNotifierProvider(Progresses)
    told = changes_of(container, provider)
    await container.read(provider.future)
    assert [state for _, state in told] == [AsyncLoading(0.5), AsyncLoading(1), AsyncData(0)]


async def test_a_rebuild_clears_the_progress(container: ProviderContainer) -> None:
    provider = AsyncNotifierProvider(Waits)
    container.listen(provider, ignore)
    container.read(provider.notifier).state = AsyncLoading(progress=0.2)
    assert container.read(provider).progress == 0.2
    assert container.refresh(provider) == AsyncLoading()


async def test_the_result_of_a_synchronous_build_replaces_states_set_during_it(container: ProviderContainer) -> None:
    class Sets(AsyncNotifier[int]):
        def build(self) -> int:
            self.state = AsyncData(42)
            self.state = AsyncData(21)
            return 84

    provider = AsyncNotifierProvider(Sets)
    futures = changes_of(container, provider.future, fire_immediately=True)
    told = changes_of(container, provider, fire_immediately=True)
    assert told == [(None, AsyncData(84))]
    assert await container.read(provider.future) == 84
    container.invalidate(provider)
    await container.pump()
    assert told == [(None, AsyncData(84))]
    assert [await future for _, future in futures] == [84] * len(futures)


# -- update --------------------------------------------------------------------------------------


@both
async def test_update_waits_for_the_data_and_sets_it(variant: Variant, container: ProviderContainer) -> None:
    provider = variant.declare(lambda ref: 42)
    notifier = container.listen(provider.notifier, ignore).read()
    assert container.read(provider) == AsyncLoading()
    assert await notifier.update(lambda value: value + 1) == 43
    assert container.read(provider) == AsyncData(43)
    assert await notifier.future == 43

    async def plus_one(value: int) -> int:
        await asyncio.sleep(0)
        return value + 1

    assert await notifier.update(plus_one) == 44
    assert container.read(provider) == AsyncData(44)


@both
async def test_update_of_a_failed_state_raises_or_calls_on_error(
    variant: Variant, container: ProviderContainer, reported: list[BaseException]
) -> None:
    def fails(ref: Any) -> int:
        raise ERROR

    provider = variant.declare(fails)
    calls: list[Any] = []
    notifier = container.listen(provider.notifier, ignore).read()
    with pytest.raises(OSError, match="no"):
        await notifier.update(calls.append)
    assert calls == []
    assert container.read(provider) == AsyncError(ERROR)

    def mend(error: Exception) -> int:
        calls.append(error)
        return 21

    assert await notifier.update(lambda value: -1, on_error=mend) == 21
    assert calls == [ERROR]
    assert container.read(provider) == AsyncData(21)
    reported.clear()


@both
async def test_an_error_in_update_keeps_the_state(variant: Variant, container: ProviderContainer) -> None:
    provider = variant.declare(lambda ref: 42)
    notifier = container.listen(provider.notifier, ignore).read()
    with pytest.raises(ZeroDivisionError):
        await notifier.update(lambda value: value // 0)
    assert container.read(provider) == AsyncData(42)


class Counter(AsyncNotifier[int]):
    """Counts in three ways; ``ready`` ends the build, ``gate`` the asynchronous function."""

    def __init__(self) -> None:
        self.ready, self.gate = asyncio.Event(), asyncio.Event()

    async def build(self) -> int:
        await self.ready.wait()
        return 0

    async def plus(self, number: int, how: str) -> int:
        async def later(value: int) -> int:
            await self.gate.wait()
            return value + number

        return await self.update(later if how == "async" else lambda value: value + number)


@pytest.mark.parametrize("hows", [["sync"] * 5, ["async"] * 5, ["async", "sync", "async", "sync", "sync"]])
@pytest.mark.parametrize("loaded", [False, True])
async def test_concurrent_updates_are_all_kept(hows: list[str], loaded: bool, container: ProviderContainer) -> None:
    counter = AsyncNotifierProvider(Counter)
    notifier = container.listen(counter.notifier, ignore).read()
    if loaded:
        notifier.ready.set()
        await notifier.future
    updates = asyncio.gather(*(notifier.plus(1, how) for how in hows))
    await asyncio.sleep(0)
    notifier.ready.set()
    await asyncio.sleep(0)
    notifier.gate.set()
    assert await updates == [1, 2, 3, 4, 5]
    assert container.read(counter) == AsyncData(5)


async def test_update_gets_the_data_at_the_time_of_the_call(container: ProviderContainer) -> None:
    counter = AsyncNotifierProvider(Counter)
    notifier = container.listen(counter.notifier, ignore).read()
    updating = asyncio.create_task(notifier.plus(1, "sync"))
    await asyncio.sleep(0)
    notifier.state = AsyncData(1)
    notifier.state = AsyncData(10)
    assert await updating == 11


async def test_an_update_interrupted_by_a_rebuild_uses_the_new_data(
    container: ProviderContainer,
) -> None:
    counter = AsyncNotifierProvider(Counter)
    notifier = container.listen(counter.notifier, ignore).read()
    updating = asyncio.create_task(notifier.plus(1, "sync"))
    await asyncio.sleep(0)
    container.invalidate(counter)
    await container.pump()
    notifier.ready.set()
    assert await updating == 1
    assert container.read(counter) == AsyncData(1)


async def test_a_nested_update_does_not_wait_for_the_outer_one(container: ProviderContainer) -> None:
    counter = AsyncNotifierProvider(Counter)
    notifier = container.listen(counter.notifier, ignore).read()
    notifier.ready.set()

    async def twice(value: int) -> int:
        one, other = await asyncio.gather(notifier.plus(1, "sync"), notifier.plus(1, "sync"))
        assert (one, other) == (value + 1, value + 2)
        return other

    async with asyncio.timeout(25):
        assert await notifier.update(twice) == 2


def test_an_update_interrupted_by_the_end_of_a_loop_does_not_block_the_next_loop() -> None:
    counter = AsyncNotifierProvider(Counter)
    container = ProviderContainer()
    waiting: list[Any] = []

    async def leave() -> None:
        notifier = container.listen(counter.notifier, ignore).read()
        notifier.ready.set()
        await notifier.future
        waiting.extend(asyncio.create_task(notifier.plus(1, "async")) for _ in range(2))
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def go_on() -> None:
        notifier = container.read(counter.notifier)
        async with asyncio.timeout(25):
            assert await notifier.plus(1, "sync") == 1
        await container.aclose()

    loop = asyncio.new_event_loop()
    loop.run_until_complete(leave())
    asyncio.run(go_on())
    for task in waiting:
        task.cancel()
    loop.run_until_complete(asyncio.wait(waiting))
    loop.close()


@both
async def test_on_error_does_not_get_the_error_of_the_function(variant: Variant, container: ProviderContainer) -> None:
    provider = variant.declare(lambda ref: 42)
    notifier = container.listen(provider.notifier, ignore).read()

    async def fails(value: int) -> int:
        return value // 0

    for fn in (fails, lambda value: value // 0):
        with pytest.raises(ZeroDivisionError):
            await notifier.update(fn, on_error=lambda error: 0)
    assert container.read(provider) == AsyncData(42)


# -- listen_self ---------------------------------------------------------------------------------


async def test_listen_self_gets_states_data_and_errors(
    container: ProviderContainer, reported: list[BaseException]
) -> None:
    log: list[Any] = []
    removers: list[Any] = []

    class Fails(AsyncNotifier[int]):
        def build(self) -> int:
            removers.append(self.listen_self(lambda previous, value: log.append(value), log.append))
            raise ERROR

    provider = AsyncNotifierProvider(Fails)
    container.listen(provider, ignore)
    assert log == [AsyncError(ERROR)], "an error is a state here, not an error of the provider"
    container.read(provider.notifier).state = AsyncData(42)
    assert log == [AsyncError(ERROR), AsyncData(42)]
    removers[0]()
    container.read(provider.notifier).state = AsyncData(43)
    assert len(log) == 2
    reported.clear()


async def test_listen_self_gets_loading_and_then_data(container: ProviderContainer) -> None:
    log: list[Any] = []

    class Hears(StreamNotifier[int]):
        async def build(self) -> Any:
            self.listen_self(lambda previous, value: log.append((previous, value)))
            yield 0
            yield 1

    provider = StreamNotifierProvider(Hears)
    container.listen(provider, ignore)
    await until(lambda: container.read(provider) == AsyncData(1))
    assert log == [(AsyncLoading(), AsyncData(0)), (AsyncData(0), AsyncData(1))]


# -- dependencies after an await -----------------------------------------------------------------


@pytest.mark.parametrize("overridden", [False, True])
async def test_dependencies_watched_after_an_await_survive_the_rebuild(overridden: bool) -> None:
    log: list[str] = []
    gates: list[asyncio.Event] = [asyncio.Event()]

    dependency = recording_disposal(log, declare=StateProvider.auto_dispose)

    async def build(ref: Any, notifier: Any) -> int:
        await gates[-1].wait()
        return int(ref.watch(dependency))

    class Watches(AsyncNotifier[int]):
        async def build(self) -> int:
            if overridden:
                raise NotImplementedError
            return await build(self.ref, self)

    provider = AsyncNotifierProvider(Watches)
    overrides = [provider.override_with_build(build)] if overridden else []
    async with ProviderContainer(overrides=overrides) as container:
        container.listen(provider, ignore)
        gates[-1].set()
        assert await container.read(provider.future) == 0
        gates.append(asyncio.Event())
        container.read(dependency.notifier).state += 1
        await container.pump()
        assert log == []
        gates[-1].set()
        assert await container.read(provider.future) == 1
        await container.pump()
        assert log == []
