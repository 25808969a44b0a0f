"""Mutations: actions with a visible state, one run at a time, keyed, resettable, and reported to observers."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any

import pytest

from tests.unit.reactive.matrix import ignore, pump_turns, until
from tetherpy.reactive import (
    FutureProvider,
    Mutation,
    MutationError,
    MutationIdle,
    MutationPending,
    MutationSuccess,
    MutationTransaction,
    Notifier,
    NotifierProvider,
    Provider,
    ProviderContainer,
    ProviderObserver,
    ProviderObserverContext,
    Ref,
)
from tetherpy.reactive.errors import MutationEndedError, UnhashableArgumentError

ERROR = OSError("no")


class Run:
    """A run of a mutation whose end and result the test sets."""

    def __init__(self, mutation: Mutation[int], container: ProviderContainer) -> None:
        self.answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(mutation.run(container, self._wait))

    async def _wait(self, transaction: MutationTransaction) -> int:
        return await self.answer


def told_by(container: ProviderContainer, mutation: Mutation[Any], **options: Any) -> list[Any]:
    told: list[Any] = []
    container.listen(mutation, lambda previous, state: told.append(type(state)), **options)
    return told


async def gives(value: Any) -> Any:
    return value


async def fails(transaction: MutationTransaction) -> Any:
    raise ERROR


@pytest.mark.parametrize("value", [42, None])
async def test_a_successful_run_is_pending_and_then_success(value: Any, container: ProviderContainer) -> None:
    mutation = Mutation[Any]()
    told = told_by(container, mutation, fire_immediately=True)
    assert await mutation.run(container, lambda tx: gives(value)) == value
    assert told == [MutationIdle, MutationPending, MutationSuccess]
    assert container.read(mutation) == MutationSuccess(value)


async def test_a_failed_run_is_pending_then_error_and_raises(container: ProviderContainer) -> None:
    mutation = Mutation[int]()
    told = told_by(container, mutation)
    with pytest.raises(OSError, match="no") as caught:
        await mutation.run(container, fails)
    assert caught.value is ERROR
    assert told == [MutationPending, MutationError]
    assert container.read(mutation) == MutationError(ERROR)


async def test_a_superseded_run_sets_no_state(container: ProviderContainer) -> None:
    mutation = Mutation[int]()
    told = told_by(container, mutation)
    first = Run(mutation, container)
    await asyncio.sleep(0)
    second = Run(mutation, container)
    await asyncio.sleep(0)
    first.answer.set_result(1)
    assert await first.task == 1
    assert isinstance(container.read(mutation), MutationPending)
    second.answer.set_result(2)
    assert await second.task == 2
    assert container.read(mutation) == MutationSuccess(2)
    assert set(told[:-1]) == {MutationPending}
    assert told[-1] is MutationSuccess


async def test_a_run_may_outlast_its_container() -> None:
    container = ProviderContainer()
    mutation = Mutation[int]()
    container.listen(mutation, ignore)
    run = Run(mutation, container)
    await asyncio.sleep(0)
    container.dispose()
    run.answer.set_result(42)
    assert await run.task == 42


async def test_a_cancelled_run_resets_the_state_to_idle(container: ProviderContainer) -> None:
    mutation = Mutation[int]()
    container.listen(mutation, ignore)
    run = Run(mutation, container)
    await asyncio.sleep(0)
    run.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run.task
    assert container.read(mutation) == MutationIdle()


async def test_the_state_is_idle_again_without_watchers(container: ProviderContainer) -> None:
    mutation = Mutation[int]()
    await mutation.run(container, lambda tx: gives(0))
    await container.pump()
    assert container.read(mutation) == MutationIdle()


async def test_a_ref_can_run_a_mutation(container: ProviderContainer) -> None:
    class Counter(Notifier[int]):
        def build(self) -> int:
            return 0

        async def increment(self) -> int:
            async def change(transaction: MutationTransaction) -> int:
                self.state += 1
                return self.state

            return await mutation.run(self.ref, change)

    mutation = Mutation[int]()
    counter = NotifierProvider(Counter)
    container.listen(mutation, ignore)
    assert await container.read(counter.notifier).increment() == 1
    assert container.read(mutation) == MutationSuccess(1)


# -- reset ---------------------------------------------------------------------------------------


async def test_resetting_an_idle_mutation_does_nothing(container: ProviderContainer) -> None:
    mutation = Mutation[int]()
    mutation.reset(container)
    assert container.read(mutation) == MutationIdle()


@pytest.mark.parametrize("ends", ["success", "error"])
async def test_a_reset_discards_the_result_of_the_current_run(ends: str, container: ProviderContainer) -> None:
    mutation = Mutation[int]()
    told = told_by(container, mutation)
    run = Run(mutation, container)
    await asyncio.sleep(0)
    mutation.reset(container)
    if ends == "success":
        run.answer.set_result(42)
        assert await run.task == 42
    else:
        run.answer.set_exception(ERROR)
        with pytest.raises(OSError, match="no"):
            await run.task
    assert container.read(mutation) == MutationIdle()
    assert told == [MutationPending, MutationIdle]


async def test_a_run_started_by_a_reset_sets_the_state(container: ProviderContainer) -> None:
    mutation = Mutation[int]()
    runs: list[Run] = []

    def run_again(previous: Any, state: Any) -> None:
        if isinstance(state, MutationIdle) and len(runs) == 1:
            runs.append(Run(mutation, container))

    container.listen(mutation, run_again)
    runs.append(Run(mutation, container))
    await asyncio.sleep(0)
    mutation.reset(container)
    await until(lambda: isinstance(container.read(mutation), MutationPending))
    runs[1].answer.set_result(7)
    assert await runs[1].task == 7
    runs[0].answer.set_result(1)
    assert await runs[0].task == 1
    assert container.read(mutation) == MutationSuccess(7)


# -- keys ----------------------------------------------------------------------------------------


def test_equal_keys_share_a_mutation() -> None:
    mutation, other = Mutation[int]("save"), Mutation[int]("save")
    one = mutation(1)
    assert one is mutation(1)
    two, others = mutation(2), other(1)
    assert len({mutation, other, one, two, others}) == 5
    assert (one.key, one.label, mutation.key) == (1, "save", None)
    assert [repr(m) for m in (mutation, one, Mutation[int]())] == [
        "Mutation(save)",
        "Mutation(save(1))",
        "Mutation(mutation)",
    ]


async def test_mutations_and_their_keys_have_separate_states(container: ProviderContainer) -> None:
    mutation = Mutation[int]()
    all_of_them = [mutation, mutation("foo"), mutation("bar"), Mutation[int]()]
    for one in all_of_them:
        container.listen(one, ignore)
    for number, one in enumerate(all_of_them):
        await one.run(container, lambda tx, number=number: gives(number))
    assert [container.read(one) for one in all_of_them] == [MutationSuccess(number) for number in range(4)]


# -- transactions and observers ------------------------------------------------------------------


async def test_providers_read_in_a_transaction_live_until_its_end(container: ProviderContainer) -> None:
    log: list[str] = []
    mutation = Mutation[int]()
    end = asyncio.Event()

    @FutureProvider.auto_dispose
    async def provider(ref: Ref) -> int:
        ref.on_dispose(lambda: log.append("disposed"))
        return 42

    async def read(transaction: MutationTransaction) -> int:
        value = await transaction.get(provider.future)
        await end.wait()
        return value

    task = asyncio.create_task(mutation.run(container, read))
    await pump_turns(container, 4)
    assert log == []
    end.set()
    assert await task == 42
    await container.pump()
    assert log == ["disposed"]


class Observer(ProviderObserver):
    def __init__(self) -> None:
        self.log: list[Any] = []

    def mutation_start(self, context: ProviderObserverContext, mutation: Any) -> None:
        self.log.append(("start", context.container, context.mutation, mutation))

    def mutation_success(self, context: ProviderObserverContext, mutation: Any, value: Any) -> None:
        self.log.append(("success", context.container, context.mutation, mutation, value))

    def mutation_error(self, context: ProviderObserverContext, mutation: Any, error: Exception) -> None:
        self.log.append(("error", context.container, context.mutation, mutation, error))

    def mutation_reset(self, context: ProviderObserverContext, mutation: Any) -> None:
        self.log.append(("reset", context.container, context.mutation, mutation))

    def did_add_provider(self, context: ProviderObserverContext, value: Any) -> None:
        if not isinstance(context.provider, Mutation):
            self.log.append(("add", context.provider, context.mutation))

    def did_update_provider(self, context: ProviderObserverContext, previous: Any, value: Any) -> None:
        self.log.append(("update", context.provider))


async def test_observers_get_mutation_events_and_no_provider_events() -> None:
    observer = Observer()
    mutation = Mutation[int]()
    async with ProviderContainer(observers=[observer]) as container:
        for key in (1, 2):
            container.listen(mutation(key), ignore)
        await mutation(1).run(container, lambda tx: gives(42))
        with pytest.raises(OSError, match="no"):
            await mutation(2).run(container, fails)
        mutation(1).reset(container)
    one, two = mutation(1), mutation(2)
    assert observer.log == [
        ("start", container, one, one),
        ("success", container, one, one, 42),
        ("start", container, two, two),
        ("error", container, two, two, ERROR),
        ("reset", container, one, one),
    ]


async def test_provider_events_during_a_run_contain_the_mutation() -> None:
    observer = Observer()
    mutation = Mutation[int]()
    provider = Provider(lambda ref: 0)
    other = Provider(lambda ref: 0)
    async with ProviderContainer(observers=[observer]) as container:
        await mutation.run(container, lambda tx: gives(tx.get(provider)))
        container.read(other)
    assert ("add", provider, mutation) in observer.log
    assert ("add", other, None) in observer.log


# -- runs that do not end ------------------------------------------------------------------------


@pytest.mark.parametrize("closed_in", ["another context", "another thread", "a build"])
async def test_a_closed_coroutine_of_a_run_keeps_no_provider(closed_in: str, container: ProviderContainer) -> None:
    mutation = Mutation[int]()
    log: list[str] = []
    kept = Provider.auto_dispose(lambda ref: ref.on_dispose(lambda: log.append("disposed")))
    container.listen(mutation, ignore)

    async def work(transaction: MutationTransaction) -> int:
        transaction.get(kept)
        await asyncio.Event().wait()
        return 1

    run = mutation.run(container, work)
    contextvars.copy_context().run(run.send, None)
    assert isinstance(container.read(mutation), MutationPending)
    if closed_in == "another context":
        contextvars.Context().run(run.close)
    elif closed_in == "another thread":
        await asyncio.to_thread(run.close)
    else:
        container.read(Provider(lambda ref: run.close()))
    await until(lambda: container.read(mutation) == MutationIdle())
    await container.pump()
    assert log == ["disposed"]
    assert not container.exists(kept)


async def test_a_finished_transaction_cannot_read(container: ProviderContainer) -> None:
    provider = Provider.options(name="one", auto_dispose=True)(lambda ref: 1)
    ended: list[MutationTransaction] = []

    async def work(transaction: MutationTransaction) -> int:
        ended.append(transaction)
        return transaction.get(provider)

    assert await Mutation[int]().run(container, work) == 1
    with pytest.raises(MutationEndedError, match="one") as caught:
        ended[0].get(provider)
    assert caught.value.provider is provider
    await container.pump()
    assert not container.exists(provider)


def test_keys_differ_by_type_and_must_be_hashable() -> None:
    mutation: Mutation[int] = Mutation("save")
    assert mutation(1) is mutation(1)
    assert len({mutation(1), mutation(True), mutation(1.0)}) == 3
    with pytest.raises(UnhashableArgumentError, match=r"Mutation\(save\) was given key=\[1\]"):
        mutation([1])  # type: ignore[arg-type]
