"""The error that ends a block is passed to the context managers entered in it, as by an ``ExitStack``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import Any, Self

import attrs
import pytest

from tests.unit.reactive.builders import async_notifier_of, async_provider_of, notifier_of, stream_notifier_of
from tests.unit.reactive.declared import rebuild
from tests.unit.reactive.matrix import ignore, until
from tetherpy.reactive import FutureProvider, Provider, ProviderContainer, Ref, StateProvider, StreamProvider
from tetherpy.reactive.errors import ProviderError, UnmountedRefError


@attrs.define
class Transaction:
    """Records the error of its exit, in both protocols; may suppress it or raise another one."""

    log: list[Any]
    name: str = ""
    suppresses: bool = False
    raises: Exception | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        assert (kind, traceback) == ((None, None) if error is None else (type(error), error.__traceback__))
        self.log.append((self.name, error) if self.name else error)
        if self.raises is not None:
            raise self.raises
        return self.suppresses

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        await asyncio.sleep(0)
        return self.__exit__(kind, error, traceback)


def entered(*transactions: Transaction, **options: Any) -> Provider[None]:
    def create(ref: Ref) -> None:
        for transaction in transactions:
            ref.enter(transaction)

    return Provider.options(**options)(create)


def entered_async(*transactions: Transaction) -> FutureProvider[None]:
    @FutureProvider
    async def provider(ref: Ref) -> None:
        for transaction in transactions:
            await ref.enter_async(transaction)

    return provider


async def fail_in(container: ProviderContainer, provider: Any, error: BaseException) -> None:
    """Leave the block of a container with an error."""
    async with container:
        if isinstance(provider, FutureProvider):
            await container.read(provider.future)
        else:
            container.read(provider)
        raise error


# -- the block of a container --------------------------------------------------------------------

ERRORS: dict[str, Callable[[], BaseException]] = {
    "an exception": lambda: OSError("no"),
    "a group": lambda: ExceptionGroup("two", [OSError("no"), ValueError("no")]),
    "a cancellation": asyncio.CancelledError,
    "a BaseException": lambda: pytest.fail.Exception("no"),
}


@pytest.mark.parametrize("what", ERRORS)
@pytest.mark.parametrize("is_async", [False, True])
async def test_context_managers_get_the_error_of_the_block(what: str, is_async: bool) -> None:
    log: list[Any] = []
    error = ERRORS[what]()
    provider = entered_async(Transaction(log)) if is_async else entered(Transaction(log))
    with pytest.raises(type(error)) as caught:
        await fail_in(ProviderContainer(), provider, error)
    assert caught.value is error
    assert log == [error]


def test_context_managers_get_the_error_without_a_loop() -> None:
    log: list[Any] = []
    error = OSError("no")

    def request() -> None:
        with ProviderContainer() as container:
            container.read(entered(Transaction(log)))
            raise error

    with pytest.raises(OSError, match="no"):
        request()
    assert log == [error]


@pytest.mark.parametrize("how", ["dispose", "aclose", "the end of the block"])
async def test_context_managers_get_no_error_at_a_normal_exit(how: str) -> None:
    log: list[Any] = []
    container = ProviderContainer()
    container.read(entered(Transaction(log)))
    match how:
        case "dispose":
            container.dispose()
        case "aclose":
            await container.aclose()
        case _:
            async with container:
                pass
    assert log == [None]


async def test_dispose_and_aclose_take_an_error() -> None:
    log: list[Any] = []
    error = OSError("no")
    for close in (ProviderContainer.dispose, ProviderContainer.aclose):
        container = ProviderContainer()
        container.read(entered(Transaction(log)))
        result = close(container, error)
        if result is not None:
            await result
    assert log == [error, error]


async def test_a_disposer_may_end_its_container_with_an_error() -> None:
    log: list[Any] = []
    error = OSError("no")

    @Provider
    def owner(ref: Ref) -> None:
        ref.on_dispose(lambda: container.aclose(error))

    container = ProviderContainer()
    container.read(entered(Transaction(log)))
    container.read(owner)
    container.invalidate(owner)
    await until(lambda: container.disposed)
    assert log == [error]


async def test_a_task_cancelled_in_the_block_rolls_back() -> None:
    log: list[Any] = []
    inside = asyncio.Event()

    async def request() -> None:
        async with ProviderContainer() as container:
            await container.read(entered_async(Transaction(log)).future)
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(request())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [type(error) for error in log] == [asyncio.CancelledError]


# -- as in an ExitStack --------------------------------------------------------------------------


@pytest.mark.parametrize("is_async", [False, True])
async def test_context_managers_exit_in_reverse_order_and_may_suppress(is_async: bool) -> None:
    log: list[Any] = []
    error = OSError("no")
    stack = [Transaction(log, "outer"), Transaction(log, "middle", suppresses=True), Transaction(log, "inner")]
    await fail_in(ProviderContainer(), entered_async(*stack) if is_async else entered(*stack), error)
    assert log == [("inner", error), ("middle", error), ("outer", None)]


def test_an_error_can_be_suppressed_in_a_synchronous_block() -> None:
    log: list[Any] = []
    with ProviderContainer() as container:
        container.read(entered(Transaction(log, suppresses=True)))
        raise OSError("no")
    assert [type(error) for error in log] == [OSError]


def test_a_failed_commit_is_the_error_of_a_synchronous_block_too() -> None:
    log: list[Any] = []
    error = OSError("the commit failed")

    def request() -> None:
        with ProviderContainer() as container:
            container.read(entered(Transaction(log, "outer"), Transaction(log, "inner", raises=error)))

    with pytest.raises(ExceptionGroup) as caught:
        request()
    assert caught.value.exceptions == (error,)
    assert log == [("inner", None), ("outer", error)]


async def test_an_error_of_one_context_manager_is_passed_to_the_next() -> None:
    log: list[Any] = []
    other = ValueError("while leaving")
    stack = [Transaction(log, "outer"), Transaction(log, "inner", raises=other)]
    error = OSError("no")
    with pytest.raises((OSError, ExceptionGroup)):
        await fail_in(ProviderContainer(on_error=lambda error, provider: None), entered(*stack), error)
    assert log == [("inner", error), ("outer", other)]


async def test_a_failed_commit_of_one_provider_rolls_back_those_it_depends_on() -> None:
    log: list[Any] = []
    error = OSError("the commit failed")
    source = entered(Transaction(log, "source"))
    container = ProviderContainer(on_error=lambda error, provider: None)

    @FutureProvider
    async def user(ref: Ref) -> None:
        ref.watch(source)
        ref.enter(Transaction(log, "outer"))
        await ref.enter_async(Transaction(log, "inner", raises=error))

    with pytest.raises(ExceptionGroup) as caught:
        async with container:
            await container.read(user.future)
    assert caught.value.exceptions == (error,)
    assert log == [("inner", None), ("outer", error), ("source", error)]


def test_only_the_error_of_the_block_can_be_suppressed() -> None:
    container = ProviderContainer()

    def request() -> None:
        with container:
            container.read(entered(Transaction([], suppresses=True)))
            container.dispose(OSError("first"))
            raise ValueError("second")

    with pytest.raises(ValueError, match="second"):
        request()


async def test_dependents_exit_before_dependencies_with_the_same_error() -> None:
    log: list[Any] = []
    source = entered_async(Transaction(log, "source"))

    @FutureProvider
    async def user(ref: Ref) -> None:
        await ref.watch(source.future)
        await ref.enter_async(Transaction(log, "user"))

    error = OSError("no")
    with pytest.raises(OSError, match="no"):
        await fail_in(ProviderContainer(), user, error)
    assert log == [("user", error), ("source", error)]


# -- children ------------------------------------------------------------------------------------


async def test_an_error_of_the_parent_is_passed_to_its_children() -> None:
    log: list[Any] = []
    scoped = entered(Transaction(log, "child"), dependencies=[])
    error = OSError("no")

    async def request() -> None:
        async with ProviderContainer() as parent:
            parent.read(entered(Transaction(log, "parent")))
            ProviderContainer(parent=parent, overrides=[scoped]).read(scoped)
            raise error

    with pytest.raises(OSError, match="no"):
        await request()
    assert log == [("child", error), ("parent", error)]


async def test_an_error_of_a_child_is_not_passed_to_its_parent() -> None:
    log: list[Any] = []
    scoped = entered(Transaction(log, "child"), dependencies=[])
    error = OSError("no")
    async with ProviderContainer() as parent:
        parent.read(entered(Transaction(log, "parent")))
        with pytest.raises(OSError, match="no"):
            await fail_in(ProviderContainer(parent=parent, overrides=[scoped]), scoped, error)
        assert log == [("child", error)]
    assert log == [("child", error), ("parent", None)]


@pytest.mark.parametrize("is_async", [True, False])
async def test_a_child_whose_block_has_not_ended_rolls_back(is_async: bool) -> None:
    """As a request that still runs when the server closes the container of the app."""
    log: list[Any] = []
    scoped = entered(Transaction(log, "child"), scope="request")
    inside, ended = asyncio.Event(), asyncio.Event()

    async def request(child: ProviderContainer) -> None:
        async with AsyncExitStack() as stack:
            if is_async:
                await stack.enter_async_context(child)
            else:
                stack.enter_context(child)
            child.read(scoped)
            inside.set()
            await ended.wait()

    async with ProviderContainer() as parent:
        task = asyncio.create_task(request(parent.child(scope="request")))
        await inside.wait()
        parent.child(scope="request").read(scoped)  # without a block it has no end of its own
    assert [(name, type(error)) for name, error in log] == [("child", type(None)), ("child", asyncio.CancelledError)]
    ended.set()
    await task


# -- builds --------------------------------------------------------------------------------------


def failing(kind: str, transaction: Transaction, error: Exception) -> Any:
    def build(ref: Any) -> None:
        ref.enter(transaction)
        raise error

    async def build_async(ref: Any) -> None:
        await ref.enter_async(transaction)
        await asyncio.sleep(0)
        raise error

    async def stream(ref: Any) -> AsyncIterator[None]:
        yield await build_async(ref)

    async def stream_later(ref: Any) -> AsyncIterator[None]:
        yield None
        await build_async(ref)

    return {
        "Provider": Provider(build),
        "StateProvider": StateProvider(build),
        "NotifierProvider": notifier_of(build),
        "FutureProvider": FutureProvider(build_async),
        "AsyncNotifierProvider": async_notifier_of(build_async),
        "FutureProvider, at once": FutureProvider(build),
        "StreamProvider": StreamProvider(stream),
        "StreamProvider, after a value": StreamProvider(stream_later),
        "StreamNotifierProvider": stream_notifier_of(stream),
    }[kind]


@pytest.mark.parametrize(
    "kind",
    [
        "Provider",
        "StateProvider",
        "NotifierProvider",
        "FutureProvider",
        "AsyncNotifierProvider",
        "FutureProvider, at once",
        "StreamProvider",
        "StreamProvider, after a value",
        "StreamNotifierProvider",
    ],
)
async def test_context_managers_of_a_failed_build_exit_at_once_with_its_error(
    kind: str, container: ProviderContainer, reported: list[BaseException]
) -> None:
    log: list[Any] = []
    error = OSError("no")
    provider = failing(kind, Transaction(log), error)
    container.listen(provider, ignore)
    await until(lambda: bool(log))
    assert log == [error]
    with pytest.raises((OSError, ProviderError)):
        container.read(provider) if not hasattr(provider, "future") else await container.read(provider.future)
    await container.aclose()
    assert log == [error], "context managers exit once"
    assert reported == [error]
    reported.clear()


@pytest.mark.parametrize("end", ["a change", "invalidate", "auto-dispose"])
@pytest.mark.parametrize("is_async", [False, True])
async def test_a_rebuild_and_a_disposal_pass_no_error(end: str, is_async: bool, container: ProviderContainer) -> None:
    log: list[Any] = []
    source = StateProvider(lambda ref: 0)

    def build(ref: Ref) -> int:
        ref.enter(Transaction(log))
        return ref.watch(source)

    async def build_async(ref: Ref) -> int:
        await ref.enter_async(Transaction(log))
        return ref.watch(source)

    provider: Any = FutureProvider.auto_dispose(build_async) if is_async else Provider.auto_dispose(build)
    subscription = container.listen(provider, ignore)
    if is_async:
        await container.read(provider.future)
    if end == "auto-dispose":
        subscription.close()
    else:
        rebuild(end, container, provider, source)
    await until(lambda: bool(log))
    assert log == [None]


@pytest.mark.parametrize("end", ["a change", "invalidate", "dispose", "aclose", "the task"])
@pytest.mark.parametrize("kind", ["future", "stream", "notifier"])
async def test_a_build_that_is_given_up_rolls_back(end: str, kind: str) -> None:
    log: list[Any] = []
    inside: list[asyncio.Task[Any] | None] = []
    source = StateProvider(lambda ref: 0)

    async def build(ref: Ref) -> None:
        ref.enter(Transaction(log))
        await ref.enter_async(Transaction(log))
        ref.watch(source)
        inside.append(asyncio.current_task())
        await asyncio.Event().wait()

    provider = async_provider_of(kind, build)
    container = ProviderContainer()
    container.listen(provider, ignore)
    await until(lambda: bool(inside))
    match end:
        case "dispose":
            container.dispose()
        case "aclose":
            await container.aclose()
        case "the task":  # as by the end of asyncio.run
            assert inside[0] is not None
            inside[0].cancel()
        case _:
            rebuild(end, container, provider, source)
    await until(lambda: len(log) == 2)
    assert [type(error) for error in log] == [asyncio.CancelledError] * 2
    await container.aclose()


@pytest.mark.parametrize("is_empty", [True, False])
async def test_a_stream_that_has_ended_or_given_a_value_passes_no_error(
    is_empty: bool, container: ProviderContainer
) -> None:
    log: list[Any] = []
    ready = asyncio.Event()

    @StreamProvider
    async def ticks(ref: Ref) -> AsyncIterator[int]:
        await ref.enter_async(Transaction(log))
        ready.set()
        if not is_empty:
            yield 1
            await asyncio.Event().wait()

    with container.listen(ticks, ignore):
        await ready.wait()
        await asyncio.sleep(0)
        container.invalidate(ticks)
        await until(lambda: bool(log))
    assert log == [None]


async def test_a_build_that_is_given_up_by_a_failed_block_gets_the_error_of_the_block() -> None:
    log: list[Any] = []
    ready = asyncio.Event()
    error = OSError("no")

    @FutureProvider
    async def provider(ref: Ref) -> None:
        await ref.enter_async(Transaction(log))
        ready.set()
        await asyncio.Event().wait()

    async def request() -> None:
        async with ProviderContainer() as container:
            container.listen(provider, ignore)
            await ready.wait()
            raise error

    with pytest.raises(OSError, match="no"):
        await request()
    assert log == [error]


async def test_a_build_that_was_replaced_while_it_entered_a_context_manager_rolls_back() -> None:
    log: list[Any] = []
    entering = asyncio.Event()
    source = StateProvider(lambda ref: 0)

    class Slow(Transaction):
        async def __aenter__(self) -> Self:
            with suppress(asyncio.CancelledError):
                entering.set()
                await asyncio.Event().wait()
            return self

    @FutureProvider
    async def provider(ref: Ref) -> None:
        if ref.watch(source) == 0:
            await ref.enter_async(Slow(log))

    async with ProviderContainer(on_error=lambda error, provider: None) as container:
        container.listen(provider, ignore)
        await entering.wait()
        container.read(source.notifier).state = 1
        await container.read(provider.future)
        assert [type(error) for error in log] == [UnmountedRefError]


def test_an_interrupted_build_exits_at_once_with_the_interruption() -> None:
    log: list[Any] = []

    @Provider
    def provider(ref: Ref) -> None:
        ref.enter(Transaction(log))
        raise KeyboardInterrupt

    container = ProviderContainer()
    with pytest.raises(KeyboardInterrupt):
        container.read(provider)
    assert [type(error) for error in log] == [KeyboardInterrupt]
    container.dispose()
    assert len(log) == 1


@pytest.mark.parametrize("is_caught", [True, False])
def test_a_build_that_is_begun_again_on_a_shallow_stack_rolls_back_the_first_time(is_caught: bool) -> None:
    log: list[Any] = []

    @Provider.family
    def chain(ref: Ref, length: int) -> int:
        return 1 + ref.watch(chain(length - 1)) if length else 0

    @Provider
    def top(ref: Ref) -> int:
        ref.enter(Transaction(log))
        try:
            return ref.watch(chain(1_000))
        except BaseException:
            if is_caught:
                return -1
            raise

    with ProviderContainer() as container:
        assert container.read(top) == 1_000
        assert [type(error) for error in log] == [asyncio.CancelledError]
    assert log[1:] == [None]
