"""Closed edges, listeners and promises keep no objects, and closing many takes linear time."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any
from weakref import WeakSet, ref

import pytest

from tests.unit.reactive.builders import notifier_of
from tests.unit.reactive.declared import counter
from tests.unit.reactive.matrix import ignore, until
from tetherpy.reactive import FutureProvider, Provider, ProviderContainer, Ref, StateProvider, StreamProvider
from tetherpy.reactive.errors import ProviderError


class Value:
    """A large object with weak references."""


class Made:
    """Creates values and knows which are alive."""

    def __init__(self) -> None:
        self.living: WeakSet[Value] = WeakSet()

    def __call__(self) -> Value:
        value = Value()
        self.living.add(value)
        return value


def living(made: Made) -> int:
    if len(made.living) > 1:
        gc.collect()
    return len(made.living)


# -- what is kept --------------------------------------------------------------------------------


VIEWS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "future": lambda ref, asynchronous, counter: ref.watch(asynchronous.future),
    "select_async": lambda ref, asynchronous, counter: ref.watch(asynchronous.select_async(str)),
    "select": lambda ref, asynchronous, counter: ref.watch(counter.select(str)),
    "select of select": lambda ref, asynchronous, counter: ref.watch(counter.select(str).select(len)),
    "notifier": lambda ref, asynchronous, counter: ref.watch(counter.notifier),
    "listen": lambda ref, asynchronous, counter: ref.listen(counter.select(str), ignore),
}


@pytest.mark.parametrize("view", VIEWS)
async def test_a_closed_child_container_is_not_kept_by_dependencies_in_its_parent(
    view: str, container: ProviderContainer
) -> None:
    asynchronous = FutureProvider(lambda ref: asyncio.sleep(0, 1))
    container.read(asynchronous)
    container.read(counter)
    children: WeakSet[ProviderContainer] = WeakSet()

    def create(ref: Ref) -> int:
        VIEWS[view](ref, asynchronous, counter)
        return 1

    user = Provider(create, dependencies=[])
    for _ in range(3):
        child = ProviderContainer(parent=container, overrides=[user.override_with(create)])
        children.add(child)
        child.listen(user, ignore)
        await child.aclose()
        del child
    gc.collect()
    assert not children


@pytest.mark.parametrize("place", ["last", "first", "only"])
def test_a_disposed_provider_is_not_kept_by_its_dependencies(place: str) -> None:
    made = Made()
    first, last = StateProvider(lambda ref: 0), StateProvider(lambda ref: 0)
    watched = {"last": (first, last), "first": (last, first), "only": (first,)}[place]

    @Provider.auto_dispose
    def user(ref: Ref) -> Value:
        for source in watched:
            ref.watch(source)
        return made()

    with ProviderContainer() as container:
        for source in watched:
            container.listen(source, ignore)
        container.read(user)
        assert not container.exists(user)
        gc.collect()
        assert living(made) == 0


async def test_a_disposed_asynchronous_provider_is_not_kept_by_its_dependencies(container: ProviderContainer) -> None:
    made = Made()
    source = StateProvider(lambda ref: 0)

    @FutureProvider.auto_dispose
    async def user(ref: Ref) -> Value:
        await asyncio.sleep(0)
        ref.watch(source)
        return made()

    await container.read(user.future)
    await container.pump()
    await until(lambda: not container.exists(user))
    gc.collect()
    assert living(made) == 0


@pytest.mark.parametrize("what", ["of the source", "of a derived provider", "in a list", "in an error"])
def test_the_reason_of_a_build_keeps_no_value(what: str) -> None:
    made = Made()

    def make(*arguments: object) -> Any:
        return [made()] if what == "in a list" else made()

    def derive(ref: Ref) -> Any:
        if what == "in an error":
            raise ValueError(ref.watch(frame))
        return ref.watch(frame)

    def describe(ref: Ref) -> str:
        try:
            return str(type(ref.watch(source)))
        except ProviderError as error:
            return str(type(error.__cause__))

    frame = notifier_of(make)
    source = frame if what in ("of the source", "in a list") else Provider(derive)
    small = Provider(describe)
    with ProviderContainer(on_error=ignore) as container:
        container.read(small)
        for _ in range(3):
            container.read(frame.notifier).state = make()
            container.read(small)
            assert living(made) == 1, "only the present value"
        text = str(container.explain(small))
        assert "a change of" in text
        assert ("Value" in text) or ("list" in text)


def test_the_reason_of_a_pending_build_keeps_no_value() -> None:
    made = Made()
    frame = StateProvider(lambda ref: made())
    small = Provider(lambda ref: type(ref.watch(frame)))
    with ProviderContainer() as container:
        container.read(small)
        container.read(frame.notifier).state = made()
        assert living(made) == 1


async def test_the_reason_calls_repr_only_when_it_is_shown(container: ProviderContainer) -> None:
    shown: list[int] = []

    class Frame:
        def __repr__(self) -> str:
            shown.append(1)
            return "a frame"

    frame = StateProvider(lambda ref: Frame())

    @FutureProvider
    async def loaded(ref: Ref) -> Frame:
        return ref.watch(frame)

    user = Provider(lambda ref: type(ref.watch(loaded)))
    container.listen(user, ignore)
    await container.read(loaded.future)
    container.read(frame.notifier).state = Frame()
    await container.read(loaded.future)
    await container.pump()
    assert shown == []
    assert "AsyncData(a frame)" in str(container.explain(user))


def test_small_values_are_shown_as_they_were() -> None:
    for before, after in ((1, 2), ("a", "b"), (None, True), ((1, "x"), (2, "y")), ([1], [1, 2]), ({"a": 1}, {})):
        source = StateProvider(lambda ref, value=before: value)
        user = Provider(lambda ref, source=source: ref.watch(source))
        with ProviderContainer() as container:
            container.read(user)
            container.read(source.notifier).state = after
            container.read(user)
            assert f"from {before!r} to {after!r}" in str(container.explain(user))


def test_a_closed_subscription_of_a_build_is_released() -> None:
    source = StateProvider(lambda ref: 0)
    provider = Provider(lambda ref: ref)

    class Callback:
        def __call__(self, previous: Any, value: Any) -> None:
            pass

    with ProviderContainer() as container:
        build = container.read(provider)
        callback = Callback()
        gone = ref(callback)
        subscription = build.listen(source, callback)
        subscription.close()
        del callback, subscription
        gc.collect()
        assert gone() is None


async def test_reading_a_pending_future_repeatedly_leaks_nothing(container: ProviderContainer) -> None:
    @FutureProvider
    async def never(ref: Ref) -> int:
        await asyncio.Event().wait()
        return 1

    container.listen(never, ignore)
    promise = container.read(never.future)._promise  # type: ignore[attr-defined]
    for _ in range(100):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await container.read(never.future)
    gc.collect()
    assert len(promise._callbacks) < 5


@pytest.mark.parametrize("kind", ["task", "stream"])
async def test_resources_of_an_interrupted_rebuild_are_released(kind: str, container: ProviderContainer) -> None:
    gate = asyncio.Event()
    begun = 0

    @Provider.auto_dispose
    def poller(ref: Ref) -> int:
        return 1

    async def produce(ref: Ref) -> int:
        nonlocal begun
        begun += 1
        if begun > 1:
            await gate.wait()
        return ref.watch(poller)

    async def stream(ref: Ref) -> AsyncIterator[int]:
        yield await produce(ref)
        await asyncio.Event().wait()

    provider: Any = FutureProvider(produce) if kind == "task" else StreamProvider(stream)
    subscription = container.listen(provider, ignore)
    await container.read(provider.future)
    container.invalidate(provider)
    await until(lambda: begun == 2)
    container.invalidate(provider)
    subscription.close()
    await container.pump()
    await until(lambda: not container.exists(poller))


# -- how long it takes ---------------------------------------------------------------------------


def instructions(work: Callable[[], object]) -> int:
    """Count the calls of Python and C functions of some work, which does not depend on the machine."""
    count = 0

    def step(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(step)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("listening", ["in one container", "in a child container each"])
@pytest.mark.parametrize("order", ["first in, first out", "last in, first out"])
def test_closing_a_listener_does_not_copy_the_others(order: str, listening: str) -> None:
    provider = StateProvider(lambda ref: 0)
    with ProviderContainer() as container:
        closing: list[Callable[[], None]] = []
        for _ in range(500):
            host = container if listening == "in one container" else ProviderContainer(parent=container)
            subscription = host.listen(provider, ignore)
            closing.append(subscription.close if host is container else host.dispose)
        if order == "last in, first out":
            closing.reverse()
        element = container.elements[provider]
        copies = 0
        for close in closing:
            before = element.listeners
            close()
            copies += element.listeners is not before
        assert copies < 20
        assert not element.listeners


def _close_children(number: int) -> Callable[[], object]:
    parent = ProviderContainer()
    children = [ProviderContainer(parent=parent) for _ in range(number)]
    return lambda: [child.dispose() for child in children]


def _close_observers(number: int) -> Callable[[], object]:
    container = ProviderContainer()
    source = StateProvider(lambda ref: 0)
    member = Provider.family(lambda ref, key: ref.watch(source))
    subscriptions = [container.listen(member(key), ignore) for key in range(number)]
    return lambda: [subscription.close() for subscription in subscriptions]


def _remove_disposers(number: int) -> Callable[[], object]:
    build = ProviderContainer().read(Provider(lambda ref: ref))
    removers = [build.on_dispose(lambda: None) for _ in range(number)]
    return lambda: [remove() for remove in reversed(removers)]


def _dispose_parent(number: int) -> Callable[[], object]:
    parent = ProviderContainer()
    for _ in range(number):
        ProviderContainer(parent=parent)
    return parent.dispose


@pytest.mark.parametrize("make", [_close_children, _close_observers, _remove_disposers, _dispose_parent])
def test_closing_many_listeners_takes_linear_time(make: Callable[[int], Callable[[], object]]) -> None:
    few, many = instructions(make(250)), instructions(make(1_000))
    assert many < 5 * few


@pytest.mark.parametrize("register", ["on_dispose", "on_cancel", "listen_self"])
def test_removing_a_callback_compares_it_with_no_other(register: str) -> None:
    compared: list[object] = []

    class Callback:
        def __call__(self, *arguments: object) -> None: ...

        def __eq__(self, other: object) -> bool:
            compared.append(other)
            return self is other

        __hash__ = object.__hash__

    with ProviderContainer() as container:
        build = container.read(counter.notifier).ref
        removers = [getattr(build, register)(Callback()) for _ in range(50)]
        for remove in reversed(removers):
            remove()
    assert len(compared) <= 50
