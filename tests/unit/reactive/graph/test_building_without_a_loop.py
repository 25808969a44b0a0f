"""Without an event loop every entry point returns the value, and unused providers are disposed afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.unit.reactive.matrix import ignore
from tetherpy.reactive import Notifier, NotifierProvider, Provider, ProviderContainer, Ref, StateProvider

flag = StateProvider(lambda ref: False, name="flag")
part = Provider.auto_dispose(lambda ref: 1)


@Provider
def whole(ref: Ref) -> int:
    return ref.watch(part) if ref.watch(flag) else 0


double = Provider(lambda ref: ref.watch(whole) * 2)
start = StateProvider(lambda ref: ref.watch(whole))
late = Provider(lambda ref: lambda: ref.watch(part))
reader = Provider(lambda ref: ref)


class Counter(Notifier[int]):
    def build(self) -> int:
        return self.ref.watch(whole)

    def add(self) -> int:
        self.state += 1
        return self.state

    def read_a_part(self) -> int:
        return self.ref.read(part)


counter = NotifierProvider(Counter)


def turn_on(container: ProviderContainer) -> None:
    container.read(flag.notifier).state = True


def subscription_read(container: ProviderContainer, listenable: Any, *, weak: bool = False) -> Any:
    subscription = container.listen(listenable, ignore, weak=weak)
    if not weak:
        subscription.pause()
    turn_on(container)
    value = subscription.read()
    assert subscription.read() == value
    return value


def after_a_read(listenable: Any, use: Callable[[Any], Any]) -> Callable[[ProviderContainer], Any]:
    def entry(container: ProviderContainer) -> Any:
        thing = container.read(listenable)
        turn_on(container)
        return use(thing)

    return entry


def listened_at_once(container: ProviderContainer) -> Any:
    turn_on(container)
    heard: list[Any] = []
    container.listen(whole, lambda _, value: heard.append(value), fire_immediately=True)
    return heard[0]


def resumed(container: ProviderContainer) -> Any:
    subscription = container.listen(whole, ignore)
    subscription.pause()
    turn_on(container)
    subscription.resume()
    return subscription.read()


def observed(container: ProviderContainer) -> Any:
    turn_on(container)
    heard: list[Any] = []
    container.observe(whole).subscribe(heard.append)
    return heard[0]


def add_to(controller: Any) -> Any:
    controller.state += 1
    return controller.state


ENTRIES: dict[str, tuple[Callable[[ProviderContainer], Any], Any]] = {
    "container.read": (after_a_read(whole, lambda _: 1), 1),
    "subscription.read": (lambda container: subscription_read(container, whole), 1),
    "subscription.read, one level further": (lambda container: subscription_read(container, double), 2),
    "subscription.read of a select": (lambda container: subscription_read(container, whole.select(lambda v: v)), 1),
    "subscription.read of a notifier": (lambda container: subscription_read(container, counter), 1),
    "subscription.read, weak": (lambda container: subscription_read(container, whole, weak=True), 1),
    "resume": (resumed, 1),
    "listen, fire_immediately": (listened_at_once, 1),
    "observe": (observed, 1),
    "Notifier.state": (after_a_read(counter.notifier, lambda notifier: notifier.state), 1),
    "Notifier.state += 1": (after_a_read(counter.notifier, Counter.add), 2),
    "ref.read in a method": (after_a_read(counter.notifier, Counter.read_a_part), 1),
    "StateController.state": (after_a_read(start.notifier, lambda controller: controller.state), 1),
    "StateController.state += 1": (after_a_read(start.notifier, add_to), 2),
    "StateController.update": (after_a_read(start.notifier, lambda c: c.update(lambda value: value + 1)), 2),
    "ref.watch after the build": (lambda container: container.read(late)(), 1),
    "ref.read after the build": (after_a_read(reader, lambda ref: ref.read(whole)), 1),
    "ref.refresh after the build": (after_a_read(reader, lambda ref: ref.refresh(whole)), 1),
}


@pytest.fixture
def container() -> Iterator[ProviderContainer]:
    reported: list[BaseException] = []
    with ProviderContainer(on_error=lambda error, provider: reported.append(error)) as container:
        yield container
    assert reported == []


@pytest.mark.parametrize("entry", ENTRIES)
def test_each_entry_point_returns_the_value(entry: str, container: ProviderContainer) -> None:
    use, expected = ENTRIES[entry]
    assert use(container) == expected
    assert container.read(whole) in (0, 1)


@pytest.mark.parametrize("entry", ENTRIES)
async def test_under_a_loop_each_entry_point_returns_the_same(entry: str, container: ProviderContainer) -> None:
    use, expected = ENTRIES[entry]
    assert use(container) == expected


def test_unused_providers_are_disposed_afterwards(container: ProviderContainer) -> None:
    assert container.read(late)() == 1
    assert container.exists(part), "the provider is watched"
    with ProviderContainer() as other:
        assert other.read(reader).read(part) == 1
        assert not other.exists(part)
