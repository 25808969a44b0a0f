"""A BaseException that is not an Exception, such as ``pytest.fail``, ends the current call and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.reactive.builders import async_provider_of
from tests.unit.reactive.matrix import ignore, until
from tests.unit.reactive.recording import observer_with, recording_disposal
from tetherpy.reactive import (
    AsyncError,
    FutureProvider,
    Provider,
    ProviderContainer,
    ProviderSubscription,
    Ref,
    StateProvider,
    StreamProvider,
)
from tetherpy.reactive.errors import ProviderError


class Abort(BaseException):
    """A BaseException that is not an Exception, like that of pytest.fail or a group with KeyboardInterrupt."""


async def _group() -> None:
    raise BaseExceptionGroup("several", [Abort("one"), OSError("two")])


async def _fail() -> None:
    raise Abort("no")


async def _in_a_task_group() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_fail())


BUILDS = {"a BaseException": _fail, "a group": _group, "inside a TaskGroup": _in_a_task_group}


@pytest.mark.parametrize("kind", ["future", "notifier", "stream"])
@pytest.mark.parametrize("what", BUILDS)
async def test_an_awaiter_of_an_asynchronous_build_gets_its_base_exception(
    what: str, kind: str, container: ProviderContainer, reported: list[BaseException]
) -> None:
    provider = async_provider_of(kind, lambda ref: BUILDS[what]())
    with pytest.raises(BaseException) as caught:  # noqa: PT011  three different ones
        await asyncio.wait_for(container.read(provider.future), 5)
    assert type(caught.value) is (Abort if what == "a BaseException" else BaseExceptionGroup)
    assert isinstance(container.read(provider), AsyncError)
    assert len(reported) == 1
    reported.clear()


async def test_a_base_exception_ends_a_stream_that_has_values(
    container: ProviderContainer, reported: list[BaseException]
) -> None:
    @StreamProvider
    async def stream(ref: Ref) -> AsyncIterator[int]:
        yield 1
        raise Abort("no")

    with container.listen(stream, ignore):
        await until(lambda: isinstance(container.read(stream), AsyncError))
    assert [type(error) for error in reported] == [Abort]
    reported.clear()


def test_a_base_exception_of_a_synchronous_build_is_raised_and_nothing_is_stored() -> None:
    fails = [True]
    provider = Provider(lambda ref: pytest.fail("no") if fails[0] else 1)
    with ProviderContainer() as container:
        with pytest.raises(pytest.fail.Exception):
            container.read(provider)
        fails[0] = False
        assert container.read(provider) == 1


@pytest.mark.parametrize("with_loop", [False, True])
def test_the_remaining_disposers_run_after_a_base_exception(with_loop: bool) -> None:
    log: list[str] = []
    source = recording_disposal(log, "source", declare=Provider)

    @Provider
    def user(ref: Ref) -> int:
        ref.on_dispose(lambda: log.append("user first"))
        ref.on_dispose(lambda: pytest.fail("no"))
        ref.on_dispose(lambda: log.append("user last"))
        return ref.watch(source)

    def run() -> None:
        container = ProviderContainer(on_error=lambda error, provider: None)
        container.read(user)
        with pytest.raises(pytest.fail.Exception):
            container.dispose()
        assert container.disposed
        assert log == ["user first", "user last", "source"]
        container.dispose()

    async def main() -> None:
        run()

    asyncio.run(main()) if with_loop else run()


async def test_aclose_raises_a_base_exception_with_other_errors() -> None:
    log: list[str] = []

    @Provider
    def provider(ref: Ref) -> int:
        ref.on_dispose(_fail)
        ref.on_dispose(lambda: log.append("rest"))
        return 1

    container = ProviderContainer()
    container.read(provider)
    with pytest.raises(BaseExceptionGroup) as caught:
        await container.aclose()
    assert [type(error) for error in caught.value.exceptions] == [Abort]
    assert log == ["rest"]


@pytest.mark.parametrize("place", ["listener", "on_remove_listener", "observed"])
def test_the_remaining_listeners_are_called(place: str) -> None:
    number = StateProvider(lambda ref: 0)
    heard: list[Any] = []

    def fail(value: Any) -> None:
        if value == 1:
            pytest.fail("no")

    @Provider
    def double(ref: Ref) -> int:
        if place == "on_remove_listener":
            ref.on_remove_listener(lambda: fail(1 if not heard else 0))
        return ref.watch(number) * 2

    with ProviderContainer(on_error=lambda error, provider: None) as container:
        container.listen(number, lambda _, value: heard.append(("first", value)))
        closing: ProviderSubscription[int] | None = None
        if place == "listener":
            container.listen(number, lambda _, value: fail(value))
        elif place == "observed":
            container.observe(number).subscribe(fail)
        else:
            closing = container.listen(double, ignore)
        container.listen(number, lambda _, value: heard.append(("last", value)))
        container.listen(double, lambda _, value: heard.append(("double", value)))

        def change() -> None:
            with container.batch():
                if closing is not None:
                    closing.close()
                container.read(number.notifier).state = 1

        with pytest.raises(pytest.fail.Exception):
            change()
        assert heard == [("first", 1), ("last", 1), ("double", 2)]
        assert container.read(double) == 2
        container.read(number.notifier).state = 2
        assert heard[3:] == [("first", 2), ("last", 2), ("double", 4)]


def test_a_build_read_by_a_listener_may_raise_a_base_exception() -> None:
    number = StateProvider(lambda ref: 0)
    broken = Provider(lambda ref: pytest.fail("no") if ref.watch(number) == 1 else ref.watch(number))
    with ProviderContainer(on_error=lambda error, provider: None) as container:
        container.listen(number, lambda _, value: container.read(broken))
        with pytest.raises(pytest.fail.Exception):
            container.read(number.notifier).state = 1
        container.read(number.notifier).state = 2
        assert container.read(broken) == 2
        with pytest.raises(ProviderError):
            container.read(Provider(lambda ref: 1 // 0))


@pytest.mark.parametrize("how", ["it", "another provider"])
def test_an_interrupted_provider_is_refreshed_after_an_invalidation(how: str) -> None:
    number = StateProvider(lambda ref: 0)
    other = StateProvider(lambda ref: 0)
    fails: list[bool] = []
    heard: list[int] = []

    def create(ref: Ref) -> int:
        value = ref.watch(number)
        if fails:
            pytest.fail("no")
        return value

    provider = Provider(create)
    with ProviderContainer() as container:
        container.read(other)
        container.listen(provider, lambda previous, value: heard.append(value))
        fails.append(True)
        with pytest.raises(pytest.fail.Exception):
            container.read(number.notifier).state = 1
        fails.clear()
        container.invalidate(provider if how == "it" else other)
        assert heard == [1]


def _recurse() -> None:
    _recurse()


def _abort() -> None:
    raise Abort("no")


@pytest.mark.parametrize("where", ["the provider", "its source"])
@pytest.mark.parametrize("fail", [_recurse, _abort])
async def test_an_awaiter_gets_an_interrupt_of_a_synchronous_dependency(
    fail: Any, where: str, container: ProviderContainer, reported: list[BaseException]
) -> None:
    raised: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: raised.append(context["exception"]))
    number = StateProvider(lambda ref: 0)
    released = asyncio.Event()

    @Provider
    def source(ref: Ref) -> int:
        value = ref.watch(number)
        if value == 1 and where == "its source":
            fail()
        return value

    @FutureProvider
    def provider(ref: Ref) -> Any:
        value = ref.watch(source)
        if value == 1 and where == "the provider":
            fail()
        return asyncio.sleep(0, value) if value else released.wait()

    future = container.read(provider.future)
    container.read(number.notifier).state = 1
    with pytest.raises((RecursionError, Abort)):
        await asyncio.wait_for(future, 5)
    assert len(reported) + len(raised) == 1
    reported.clear()
    container.read(number.notifier).state = 2
    assert await asyncio.wait_for(container.read(provider.future), 5) == 2


async def test_an_awaiter_gets_an_interrupt_of_a_source_subscription(container: ProviderContainer) -> None:
    raised: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: raised.append(context["exception"]))
    number = StateProvider(lambda ref: 1)

    @FutureProvider
    async def slow(ref: Ref) -> int:
        value = ref.watch(number)
        await asyncio.sleep(0)
        return value

    @FutureProvider
    def user(ref: Ref) -> int:
        value = ref.watch(slow).require_value
        if value == 2:
            raise Abort("no")
        return value

    container.listen(user, ignore)
    assert await container.read(user.future) == 1
    container.read(number.notifier).state = 2
    with pytest.raises(Abort):
        await asyncio.wait_for(container.read(user.future), 5)
    container.read(number.notifier).state = 3
    assert await container.read(slow.future) == 3
    assert await asyncio.wait_for(container.read(user.future), 5) == 3


def _set(container: ProviderContainer, number: Any, listened: Any) -> None:
    container.read(number.notifier).state = 1


def _invalidate(container: ProviderContainer, number: Any, listened: Any) -> None:
    container.invalidate(listened.origin)


def _batch(container: ProviderContainer, number: Any, listened: Any) -> None:
    with container.batch():
        container.read(number.notifier).state = 1


@pytest.mark.parametrize("listened", ["a state", "a provider of it", "a view of it"])
@pytest.mark.parametrize("change", [_set, _invalidate, _batch])
def test_without_a_loop_a_change_raises_the_interrupt_of_a_listener(change: Any, listened: str) -> None:
    number = StateProvider(lambda ref: object())
    derived = Provider(lambda ref: (ref.watch(number), object()))
    view = derived.select(lambda value: value[1])
    target: Any = {"a state": number, "a provider of it": derived, "a view of it": view}[listened]
    called: list[str] = []

    def abort(previous: Any, value: Any) -> None:
        called.append("first")
        raise Abort("no")

    with ProviderContainer() as container:
        container.listen(target, abort)
        container.listen(target, lambda previous, value: called.append("second"))
        with pytest.raises(Abort):
            change(container, number, target)
        assert called == ["first", "second"]


@pytest.mark.parametrize("how", ["set", "notify"])
def test_any_change_repeats_an_interrupted_build(how: str) -> None:
    number = StateProvider(lambda ref: 0)
    other = StateProvider(lambda ref: 0)
    notifying = Provider(lambda ref: ref)
    bombs: list[int] = []
    heard: list[int] = []

    def double(ref: Ref) -> int:
        value = ref.watch(number) * 2
        if bombs:
            raise Abort(bombs.pop())
        return value

    with ProviderContainer() as container:
        container.listen(Provider(double), lambda previous, value: heard.append(value))
        ref = container.read(notifying)
        bombs.append(1)
        with pytest.raises(Abort):
            container.read(number.notifier).state = 1
        if how == "set":
            container.read(other.notifier).state = 1
        else:
            ref.notify_listeners()
        assert heard == [2]


def test_two_interrupts_of_one_change_end_only_that_change() -> None:
    bombs: list[int] = []

    def explode() -> None:
        if bombs:
            raise Abort(bombs.pop())

    def build(ref: Ref) -> int:
        explode()
        ref.on_dispose(explode)
        return 1

    provider = Provider(build)
    with ProviderContainer() as container:
        container.listen(provider, ignore)
        bombs += [1, 2]
        with pytest.raises(Abort):
            container.invalidate(provider)
        assert not bombs
        assert container.read(provider) == 1


@pytest.mark.parametrize("error", [Abort(), KeyboardInterrupt(), OSError()])
def test_an_interrupt_while_a_source_stops_keeps_its_provider_usable(error: BaseException) -> None:
    class Source:
        def subscribe(self, on_next: Any, *others: Any) -> Any:
            on_next(1)
            return SimpleNamespace(dispose=self.dispose)

        def dispose(self) -> None:
            raise error

    ended: list[int] = []

    @StreamProvider
    def stream(ref: Ref) -> Any:
        ref.on_dispose(lambda: ended.append(1))
        return Source()

    reported: list[BaseException] = []
    container = ProviderContainer(on_error=lambda error, provider: reported.append(error))
    container.listen(stream, ignore)
    for end in (lambda: container.invalidate(stream), container.dispose):
        with nullcontext() if isinstance(error, Exception) else pytest.raises(type(error)):
            end()
        if not container.disposed:
            assert container.read(stream).value == 1
    assert ended == [1, 1]
    assert reported == ([error, error] if isinstance(error, Exception) else [])


def test_the_remaining_observers_are_called_after_a_base_exception() -> None:
    called: list[str] = []

    def interrupt(context: object) -> None:
        raise Abort

    broken = observer_with(did_create_provider_container=interrupt, did_dispose_provider_container=interrupt)
    sound = observer_with(
        did_create_provider_container=lambda context: called.append("created"),
        did_dispose_provider_container=lambda context: called.append("disposed"),
    )
    root = ProviderContainer()
    with pytest.raises(Abort):
        ProviderContainer(parent=root, observers=[broken, sound])
    assert called == ["created"]
    with pytest.raises(Abort):
        root.dispose()
    assert called == ["created", "disposed"]
    assert root.disposed


@pytest.mark.parametrize("second", ["a listener", "a build"])
def test_a_second_interrupt_of_a_change_is_reported(second: str) -> None:
    bombs: list[Abort] = []
    reported: list[BaseException] = []

    def explode(*_: object) -> None:
        if bombs:
            raise bombs.pop(0)

    cell = StateProvider(lambda ref: 0)
    derived = Provider(lambda ref: (ref.watch(cell), explode()))
    with ProviderContainer(on_error=lambda error, provider: reported.append(error)) as container:
        container.listen(cell, explode)
        container.listen(cell if second == "a listener" else derived, explode)
        both = [Abort(1), Abort(2)]
        bombs += both
        with pytest.raises(Abort) as raised:
            container.read(cell.notifier).state += 1
        assert not bombs
        assert {raised.value, *reported} == set(both)
        container.read(cell)
