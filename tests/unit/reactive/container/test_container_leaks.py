"""Memory use returns to its start value: measured with tracemalloc, weak references and the garbage collector.

``TETHERPY_FUZZ=1`` runs a million rounds.
"""

from __future__ import annotations

import asyncio
import gc
import os
import tracemalloc
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.unit.reactive.builders import notifier_of
from tetherpy.reactive import FutureProvider, Provider, ProviderContainer, Ref, StateProvider, StreamProvider
from tetherpy.reactive.graph.element import Element

LONG = bool(os.environ.get("TETHERPY_FUZZ"))
MANY = 1_000_000 if LONG else 6_000

pytestmark = [pytest.mark.slow, pytest.mark.timeout(0 if LONG else 120)]

SLACK = 40_000
"""Bytes that interpreter caches (free lists, a resized dict) may keep, whatever the number of rounds."""


def grown_by(work: Callable[[int], object], rounds: int) -> int:
    """Return the growth in bytes over ``rounds`` rounds, after a few rounds to warm up."""
    tracemalloc.start()
    try:
        work(min(rounds // 20, 1_000))
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        work(rounds)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return after - before


def living(kind: type) -> int:
    gc.collect()
    return sum(isinstance(thing, kind) for thing in gc.get_objects())


def ignore(previous: Any, value: Any) -> None:
    pass


def test_the_measurement_detects_a_leak() -> None:
    kept: list[Any] = []
    assert grown_by(lambda rounds: kept.extend(object() for _ in range(rounds)), 20_000) > SLACK


def test_a_million_distinct_arguments_leak_nothing() -> None:
    source = StateProvider(lambda ref: 0)

    @Provider.auto_dispose.family
    def member(ref: Ref, number: int) -> int:
        return ref.watch(source) + number

    with ProviderContainer() as container:
        container.read(source)

        def work(rounds: int) -> None:
            for number in range(rounds):
                assert container.read(member(number)) == number

        assert grown_by(work, MANY) < SLACK
        assert container.all_providers() == [source]
        assert len(member._members) <= 1, "the last call may mark a dependency"


async def growth_of(work: Callable[[int], Awaitable[None]], warm_up: int, rounds: int) -> int:
    """Return the bytes that some rounds of work leave allocated after a warm-up."""
    tracemalloc.start()
    await work(warm_up)
    gc.collect()
    before, _ = tracemalloc.get_traced_memory()
    await work(rounds)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return after - before


async def test_distinct_arguments_with_listeners_under_a_loop_leak_nothing() -> None:
    source = StateProvider(lambda ref: 0)

    @Provider.auto_dispose.family
    def member(ref: Ref, number: int) -> int:
        ref.on_dispose(lambda: None)
        return ref.watch(source) + number

    with ProviderContainer() as container:
        container.read(source)

        async def work(rounds: int) -> None:
            for start in range(0, rounds, 100):
                subscriptions = [container.listen(member(n), ignore) for n in range(start, start + 100)]
                container.read(source.notifier).update(lambda value: value + 1)
                await asyncio.sleep(0)
                for subscription in subscriptions:
                    subscription.close()
                await container.pump()

        assert await growth_of(work, 1_000, MANY // 2) < SLACK
        assert container.all_providers() == [source]


async def test_async_families_leak_no_task_and_no_element() -> None:
    @FutureProvider.auto_dispose.family
    async def member(ref: Ref, number: int) -> int:
        await asyncio.sleep(0)
        return number

    with ProviderContainer() as container:

        async def work(rounds: int) -> None:
            for number in range(rounds):
                assert await container.read(member(number).future) == number
                await container.pump()

        assert await growth_of(work, 200, MANY // 4) < SLACK
        assert container.all_providers() == []
        assert len(asyncio.all_tasks()) == 1


async def test_cancelled_awaiters_leak_nothing() -> None:
    @FutureProvider.auto_dispose.family
    async def member(ref: Ref, number: int) -> int:
        await asyncio.Event().wait()
        return number

    async with ProviderContainer() as container:

        async def wait(number: int) -> int:
            return await container.read(member(number).future)

        for number in range(200):
            reader = asyncio.ensure_future(wait(number))
            await asyncio.sleep(0)
            reader.cancel()
            await asyncio.wait([reader])
        del reader
        for _ in range(5):
            await asyncio.sleep(0)
        assert container.all_providers() == []
        assert len(asyncio.all_tasks()) == 1


def test_closed_listeners_leak_nothing() -> None:
    source = StateProvider(lambda ref: 0)
    double = Provider(lambda ref: ref.watch(source) * 2)
    with ProviderContainer() as container:
        container.read(double)

        def work(rounds: int) -> None:
            for _ in range(rounds):
                container.listen(double, ignore).close()
                container.listen(double, ignore, weak=True).close()
                container.listen(double.select(lambda value: value > 0), ignore).close()
                with container.listen(source, ignore) as subscription:
                    subscription.pause()

        assert grown_by(work, MANY // 4) < SLACK
        elements = living(Element)
        work(100)
        assert living(Element) == elements


def test_closed_containers_leak_nothing() -> None:
    scoped = StateProvider(lambda ref: 0, dependencies=[])
    shared = Provider(lambda ref: 1)
    derived = Provider(lambda ref: ref.watch(scoped) + ref.watch(shared), dependencies=[scoped])
    with ProviderContainer() as root:

        def work(rounds: int) -> None:
            for number in range(rounds):
                with ProviderContainer(parent=root, overrides=[scoped.override_with_value(number)]) as child:
                    child.listen(derived, ignore)
                    assert child.read(derived) == number + 1
            for number in range(rounds):
                with ProviderContainer(overrides=[shared.override_with_value(number)]) as alone:
                    alone.listen(derived.select(lambda value: -value), ignore)
                    assert alone.read(derived) == number

        assert grown_by(work, MANY // 20) < SLACK


def test_values_of_a_closed_container_are_freed_by_reference_counting() -> None:
    class Value:
        pass

    source = StateProvider(lambda ref: 0)
    value = Provider(lambda ref: (ref.watch(source), Value())[1])
    gc.collect()
    gc.disable()
    try:
        container = ProviderContainer()
        gone = weakref.ref(container.read(value))
        container.listen(value, ignore)
        container.dispose()
        assert gone() is None
    finally:
        gc.enable()


def test_rebuilds_with_selectors_leak_nothing() -> None:
    source = StateProvider(lambda ref: 0)
    parity = Provider(lambda ref: ref.watch(source.select(lambda value: value % 2)))
    digits = Provider(lambda ref: (ref.watch(parity), ref.watch(source.select(lambda value: value % 10))))
    with ProviderContainer() as container:
        container.listen(digits, ignore)
        notifier = container.read(source.notifier)

        def work(rounds: int) -> None:
            for _ in range(rounds):
                notifier.state += 1
                container.invalidate(parity)

        assert grown_by(work, MANY // 4) < SLACK
        assert len(container.elements[source].observers) <= 2


async def test_async_rebuilds_that_watch_futures_leak_nothing() -> None:
    source = StateProvider(lambda ref: 0)

    @FutureProvider
    async def inner(ref: Ref) -> int:
        return ref.watch(source)

    @FutureProvider
    async def outer(ref: Ref) -> int:
        return await ref.watch(inner.future) + await ref.watch(inner.select_async(lambda value: value % 2))

    async with ProviderContainer() as container:
        container.listen(outer, ignore)
        notifier = container.read(source.notifier)

        async def work(rounds: int) -> None:
            for _ in range(rounds):
                notifier.state += 1
                assert await container.read(outer.future) == notifier.state + notifier.state % 2

        await work(10)
        elements = living(Element)
        await work(200)
        for _ in range(5):
            await asyncio.sleep(0)
        assert living(Element) <= elements + 2
        assert len(container.elements[inner].observers) <= 2


async def test_closed_streams_leak_nothing() -> None:
    @StreamProvider.auto_dispose.family
    async def numbers(ref: Ref, first: int) -> Any:
        yield first
        await asyncio.Event().wait()

    async with ProviderContainer() as container:
        for number in range(200):
            async for state in container.stream(numbers(number)):
                if state.has_value:
                    break
            gc.collect(0)
        await container.pump()
        for _ in range(10):
            await asyncio.sleep(0)
        gc.collect()
        await container.pump()
        for _ in range(10):
            await asyncio.sleep(0)
        assert container.all_providers() == []
        assert len(asyncio.all_tasks()) == 1


def test_a_disposed_notifier_and_its_value_are_freed() -> None:
    class Big:
        pass

    holder = notifier_of(lambda ref: Big(), auto_dispose=True)
    with ProviderContainer() as container:
        subscription = container.listen(holder, ignore)
        value = weakref.ref(container.read(holder))
        notifier = weakref.ref(container.read(holder.notifier))
        subscription.close()
        del subscription
        gc.collect()
        assert value() is None
        assert notifier() is None
