"""listen: order and arguments of notifications, and the methods of a subscription, for containers and refs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.reactive.builders import notifier_of
from tests.unit.reactive.declared import build_that_raises
from tests.unit.reactive.matrix import ASYNC, NOTIFIERS, SYNC, Variant, ignore, known, settled, variants
from tests.unit.reactive.recording import recording_builds
from tetherpy.reactive import AsyncData, AsyncLoading, FutureProvider, Provider, ProviderContainer, Ref, StateProvider
from tetherpy.reactive.errors import ProviderError, SubscriptionClosedError

Listen = Callable[..., Any]


def listening(kind: str, container: ProviderContainer) -> Listen:
    """Return the ``listen`` of a container, or of the Ref of a provider that has a listener."""
    if kind == "container":
        return container.listen
    user = Provider(lambda ref: ref)
    return container.listen(user, ignore).read().listen


by_whom = pytest.mark.parametrize("by", ["container", "ref"])


class Log:
    """Records the calls of a listener: changes as pairs, errors as they are."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def change(self, previous: Any, value: Any) -> None:
        self.told.append((previous, value))

    def error(self, error: Exception) -> None:
        self.told.append(error)

    def take(self) -> list[Any]:
        told, self.told = self.told, []
        return told


# -- notifications --------------------------------------------------------------------------------


@by_whom
@variants("StateProvider", "NotifierProvider")
async def test_a_change_is_delivered_immediately_with_the_previous_value(
    variant: Variant, by: str, container: ProviderContainer
) -> None:
    provider = variant.declare(lambda ref: 0)
    log = Log()
    subscription = listening(by, container)(provider, log.change)
    assert log.take() == []
    controller = container.read(provider.notifier)
    controller.state = 1
    assert log.take() == [(0, 1)]
    controller.state = 1
    assert log.take() == []
    controller.state = 2
    assert log.take() == [(1, 2)]
    assert subscription.read() == 2
    subscription.close()
    controller.state = 3
    assert log.take() == []


@by_whom
@variants(*SYNC)
async def test_a_rebuild_is_delivered_on_the_next_turn(variant: Variant, by: str, container: ProviderContainer) -> None:
    dep = StateProvider(lambda ref: 0)
    provider = variant.declare(lambda ref: ref.watch(dep))
    log = Log()
    listening(by, container)(provider, log.change)
    container.read(dep.notifier).state = 1
    assert log.take() == []
    await container.pump()
    assert log.take() == [(0, 1)]


@by_whom
@variants(*ASYNC)
async def test_loading_and_data_are_delivered_in_order(variant: Variant, by: str, container: ProviderContainer) -> None:
    if variant.kind == "StreamProvider-rx":
        return await _test_a_synchronous_source(variant, by, container)
    provider = variant.declare(lambda ref: 0)
    log = Log()
    listening(by, container)(provider, log.change, fire_immediately=True)
    assert log.take() == [(None, AsyncLoading())]
    assert await settled(container, provider) == 0
    assert log.take() == [(AsyncLoading(), AsyncData(0))]
    return None


async def _test_a_synchronous_source(variant: Variant, by: str, container: ProviderContainer) -> None:
    provider = variant.declare(lambda ref: 0)
    log = Log()
    listening(by, container)(provider, log.change, fire_immediately=True)
    assert log.take() == [(None, AsyncData(0))]


@by_whom
@variants(*SYNC)
async def test_fire_immediately_delivers_the_current_value(
    variant: Variant, by: str, container: ProviderContainer
) -> None:
    provider = variant.declare(lambda ref: 0)
    log = Log()
    listen = listening(by, container)
    listen(provider, log.change, fire_immediately=True)
    assert log.take() == [(None, 0)]
    listen(provider, log.change)
    assert log.take() == []


@by_whom
async def test_listening_updates_the_provider_first(by: str, container: ProviderContainer) -> None:
    builds: list[int] = []
    dep = StateProvider(lambda ref: 0)
    provider = recording_builds(builds, lambda ref: ref.watch(dep))
    container.read(provider)
    container.read(dep.notifier).state = 42
    assert builds == [0]
    log = Log()
    listen = listening(by, container)
    listen(provider, log.change)
    assert (builds, log.take()) == ([0, 42], [])
    listen(provider, log.change, fire_immediately=True)
    assert (builds, log.take()) == ([0, 42], [(None, 42)])


@by_whom
async def test_the_previous_value_of_a_selector_is_the_last_delivered_one(
    by: str, container: ProviderContainer
) -> None:
    number = StateProvider(lambda ref: 0)
    seen: list[int] = []

    def is_even(value: int) -> bool:
        seen.append(value)
        return value % 2 == 0

    log = Log()
    listening(by, container)(number.select(is_even), log.change, fire_immediately=True)
    assert (seen, log.take()) == ([0], [(None, True)])
    for value, told in ((2, []), (3, [(True, False)]), (4, [(False, True)])):
        container.read(number.notifier).state = value
        await container.pump()
        assert seen[-1] == value
        assert log.take() == told
    assert seen == [0, 2, 3, 4]


async def test_listening_in_a_build_does_not_rebuild(container: ProviderContainer) -> None:
    builds: list[int] = []
    number = StateProvider(lambda ref: 0)
    log = Log()

    @Provider
    def provider(ref: Ref) -> int:
        builds.append(0)
        ref.listen(number, log.change, fire_immediately=True)
        ref.listen(number.select(lambda value: value % 2), log.change)
        return 0

    container.listen(provider, ignore)
    for _ in range(2):
        container.read(number.notifier).state += 1
        await container.pump()
    assert builds == [0]
    assert log.take() == [(None, 0), (0, 1), (0, 1), (1, 2), (1, 0)]


async def test_a_listener_in_a_build_is_closed_at_its_end(container: ProviderContainer) -> None:
    number = StateProvider(lambda ref: 0)
    log = Log()
    held: list[Any] = []

    @Provider
    def provider(ref: Ref) -> int:
        held.append(ref.listen(number, log.change))
        return 0

    container.listen(provider, ignore)
    container.refresh(provider)
    assert [subscription.closed for subscription in held] == [True, False]
    container.read(number.notifier).state += 1
    assert log.take() == [(0, 1)]


@variants(*NOTIFIERS)
async def test_setting_the_state_during_a_build_delivers_the_result_once(
    variant: Variant, container: ProviderContainer
) -> None:
    dep = StateProvider(lambda ref: 0)
    log = Log()

    def create(ref: Ref) -> int:
        value = ref.watch(dep)
        notifier = ref.element.notifier
        notifier.state = AsyncData(value) if variant.is_async else value
        return value

    provider = variant.declare(create)
    container.listen(provider, log.change, fire_immediately=True)
    await settled(container, provider)
    log.take()
    container.invalidate(provider)
    await container.pump()
    await settled(container, provider)
    assert {known(value, variant) for _, value in log.take()} <= {0}
    container.read(dep.notifier).state = 1
    await container.pump()
    await settled(container, provider)
    assert [known(value, variant) for _, value in log.take() if known(value, variant) != 0] == [1]


# -- errors --------------------------------------------------------------------------------------


@by_whom
@pytest.mark.parametrize("view", [False, True], ids=["provider", "select"])
async def test_a_failed_rebuild_calls_on_error(
    by: str, view: bool, container: ProviderContainer, reported: list[BaseException]
) -> None:
    dep = StateProvider(lambda ref: 0)
    error = OSError("no")

    @Provider
    def provider(ref: Ref) -> int:
        if ref.watch(dep):
            raise error
        return 0

    log, deaf = Log(), Log()
    listened: Any = provider.select(lambda value: value) if view else provider
    listen = listening(by, container)
    listen(listened, log.change, on_error=log.error)
    listen(listened, deaf.change)
    container.read(dep.notifier).state = 1
    await container.pump()
    told = log.take()
    assert len(told) == 1
    assert (told[0].__cause__ if view else told[0]) is error
    assert deaf.take() == []
    assert reported == [error], "it is reported once for any number of listeners"
    reported.clear()


@by_whom
@pytest.mark.parametrize("view", [False, True], ids=["provider", "select"])
async def test_fire_immediately_on_a_failed_provider_calls_on_error(
    by: str, view: bool, container: ProviderContainer, reported: list[BaseException]
) -> None:
    @Provider
    def provider(ref: Ref) -> int:
        raise OSError("no")

    log, deaf = Log(), Log()
    listened: Any = provider.select(lambda value: value) if view else provider
    listen = listening(by, container)
    listen(listened, log.change, on_error=log.error, fire_immediately=True)
    subscription = listen(listened, deaf.change, fire_immediately=True)
    assert [type(error) for error in log.take()] == [ProviderError if view else OSError]
    assert deaf.take() == []
    with pytest.raises(ProviderError):
        subscription.read()
    assert [str(error) for error in reported] == ["no"]
    reported.clear()


async def test_an_error_is_delivered_again_after_a_refresh(
    container: ProviderContainer, reported: list[BaseException]
) -> None:
    error = OSError("no")
    provider = Provider(build_that_raises(error))
    log = Log()
    container.listen(provider, log.change, on_error=log.error, fire_immediately=True)
    with pytest.raises(ProviderError):
        container.refresh(provider)
    assert log.take() == [error, error]
    reported.clear()


@by_whom
@pytest.mark.parametrize("view", [False, True], ids=["provider", "select"])
@pytest.mark.parametrize("fails", [False, True], ids=["on_change", "on_error"])
async def test_an_error_in_an_immediate_callback_keeps_the_subscription(
    by: str, view: bool, fails: bool, container: ProviderContainer, reported: list[BaseException]
) -> None:
    throws = StateProvider(lambda ref: fails)

    @Provider
    def provider(ref: Ref) -> bool:
        if ref.watch(throws):
            raise OSError("no")
        return True

    calls = Log()

    def raise_once(*told: Any) -> None:
        calls.told.append(told)
        if len(calls.told) == 1:
            raise LookupError("listener")

    listened: Any = provider.select(lambda value: value) if view else provider
    listening(by, container)(listened, raise_once, on_error=raise_once, fire_immediately=True)
    assert "listener" in [str(error) for error in reported]
    container.read(throws.notifier).state = not fails
    await container.pump()
    assert len(calls.told) == 2
    reported.clear()


async def test_an_error_in_a_selector_is_an_error_of_the_selected_value(
    container: ProviderContainer, reported: list[BaseException]
) -> None:
    provider = Provider(lambda ref: object())
    log = Log()
    subscription = container.listen(provider.select(lambda value: 1 // 0), log.change, on_error=log.error)
    container.invalidate(provider)
    with pytest.raises(ProviderError) as caught:
        subscription.read()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert [type(error) for error in log.take()] == [ZeroDivisionError]
    reported.clear()


# -- listeners added and closed in a listener ---------------------------------------------------


async def test_a_listener_added_by_a_listener_gets_the_next_change(container: ProviderContainer) -> None:
    number = StateProvider(lambda ref: 0)
    log = Log()

    def add(previous: int | None, value: int) -> None:
        log.change(previous, value)
        container.listen(number, log.change)

    container.listen(number, add)
    container.read(number.notifier).state += 1
    assert log.take() == [(0, 1)]
    container.read(number.notifier).state += 1
    assert log.take() == [(1, 2), (1, 2)]


async def test_a_listener_closed_by_a_listener_gets_no_more_changes(container: ProviderContainer) -> None:
    number = StateProvider(lambda ref: 0)
    log, other = Log(), Log()
    subscriptions: list[Any] = []

    def close(previous: int | None, value: int) -> None:
        log.change(previous, value)
        for subscription in subscriptions:
            subscription.close()

    container.listen(number, close)
    subscriptions.append(container.listen(number, other.change))
    for _ in range(2):
        container.read(number.notifier).state += 1
    assert log.take() == [(0, 1), (1, 2)]
    assert other.take() == []


async def test_a_selector_may_close_its_own_subscription(container: ProviderContainer) -> None:
    number = StateProvider(lambda ref: 0)
    log = Log()
    subscriptions: list[Any] = []

    def select(value: int) -> int:
        if value > 0:
            subscriptions[0].close()
        return value

    subscriptions.append(container.listen(number.select(select), log.change))
    container.read(number.notifier).state += 1
    await container.pump()
    assert log.take() == []
    assert subscriptions[0].closed


# -- the subscription ----------------------------------------------------------------------------


@by_whom
@pytest.mark.parametrize("view", ["provider", "select", "future", "notifier"])
async def test_a_closed_subscription_cannot_be_read(by: str, view: str, container: ProviderContainer) -> None:
    number = FutureProvider(lambda ref: 0)
    counter = StateProvider(lambda ref: 0)
    listened: Any = {
        "provider": counter,
        "select": counter.select(str),
        "future": number.future,
        "notifier": counter.notifier,
    }[view]
    subscription = listening(by, container)(listened, ignore)
    assert not subscription.closed
    subscription.close()
    subscription.close()
    assert subscription.closed
    with pytest.raises(SubscriptionClosedError):
        subscription.read()


async def test_closing_twice_keeps_another_listener_with_the_same_callback(container: ProviderContainer) -> None:
    number = StateProvider(lambda ref: 0)
    log = Log()
    first = container.listen(number, log.change)
    with container.listen(number, log.change) as second:
        first.close()
        first.close()
        container.read(number.notifier).state += 1
        assert log.take() == [(0, 1)]
    assert second.closed


async def test_reading_a_subscription_updates_the_provider(container: ProviderContainer) -> None:
    number = StateProvider(lambda ref: 0)
    derived = Provider(lambda ref: ref.watch(number) * 2)
    log = Log()
    subscription = container.listen(derived, ignore)
    view = container.listen(derived.select(str), log.change)
    container.read(number.notifier).state += 1
    assert subscription.read() == 2
    assert view.read() == "2"
    assert log.take() == [("0", "2")]
    await container.pump()
    assert log.take() == []


async def test_one_read_delivers_all_changes_of_a_turn(container: ProviderContainer) -> None:
    number = StateProvider(lambda ref: 0)
    derived = Provider(lambda ref: ref.watch(number) * 2)
    logs = [Log(), Log()]
    for log in logs:
        container.listen(derived, log.change)
    for _ in range(3):
        container.read(number.notifier).state += 1
    assert [log.take() for log in logs] == [[], []]
    container.read(derived)
    assert [log.take() for log in logs] == [[(0, 6)], [(0, 6)]]


# -- weak ----------------------------------------------------------------------------------------


@by_whom
async def test_a_weak_listener_gets_the_first_build(by: str, container: ProviderContainer) -> None:
    builds: list[int] = []
    dep = StateProvider(lambda ref: builds.append(0) or len(builds))
    log = Log()
    listen = listening(by, container)
    subscription = listen(dep, log.change, weak=True)
    assert (builds, log.take(), subscription.weak) == ([], [], True)
    assert container.read(dep) == 1
    assert log.take() == [(None, 1)]
    container.invalidate(dep)
    await container.pump()
    assert (len(builds), log.take()) == (1, [])
    listen(dep, log.change, weak=True)
    assert len(builds) == 1, "a weak listener does not rebuild an outdated provider"
    container.read(dep)
    assert log.take() == [(1, 2), (1, 2)]
    subscription.close()
    container.refresh(dep)
    assert log.take() == [(2, 3)]


@pytest.mark.parametrize("view", ["select", "future"])
async def test_a_weak_listener_of_a_selector_does_not_build(view: str, container: ProviderContainer) -> None:
    builds: list[int] = []
    log = Log()

    @FutureProvider.auto_dispose
    def provider(ref: Ref) -> str:
        builds.append(0)
        ref.keep_alive()
        return "Hello"

    listened: Any = provider.future if view == "future" else provider.select(lambda state: state.value)
    subscription = container.listen(listened, log.change, weak=True)
    assert builds == log.take() == []
    container.read(provider)
    (told,) = log.take()
    assert told[0] is None
    assert (await told[1] if view == "future" else told[1]) == "Hello"
    value = subscription.read()
    assert (await value if view == "future" else value) == "Hello"
    assert (len(builds), log.take()) == (1, [])
    subscription.close()


async def test_a_weak_listener_of_a_selector_gets_different_values(container: ProviderContainer) -> None:
    word = StateProvider(lambda ref: "Hello")
    log = Log()
    subscription = container.listen(word.select(lambda value: value[0]), log.change, weak=True)
    assert subscription.read() == "H"
    assert log.take() == [(None, "H")]
    container.read(word.notifier).state = "Hi"
    assert log.take() == []
    container.read(word.notifier).state = "World"
    await container.pump()
    assert log.take() == [("H", "W")]


@pytest.mark.parametrize("view", ["provider", "select", "future"])
async def test_a_read_of_a_weak_listener_does_not_keep_the_provider(view: str, container: ProviderContainer) -> None:
    log: list[str] = []

    @FutureProvider.auto_dispose
    def provider(ref: Ref) -> int:
        log.append("built")
        ref.on_dispose(lambda: log.append("disposed"))
        return 0

    views: dict[str, Any] = {
        "provider": provider,
        "select": provider.select(lambda state: state.value),
        "future": provider.future,
    }
    with container.listen(views[view], ignore, weak=True) as subscription:
        subscription.read()
        assert log == ["built"]
        await container.pump()
        assert log == ["built", "disposed"]


async def test_weak_and_fire_immediately_cannot_be_combined(container: ProviderContainer) -> None:
    provider = Provider(lambda ref: 0)
    with pytest.raises(ValueError, match="weak"):
        container.listen(provider, ignore, weak=True, fire_immediately=True)
    assert not container.exists(provider)


# -- a notifier that listens ---------------------------------------------------------------------


async def test_a_provider_may_set_its_own_state_in_a_listener(container: ProviderContainer) -> None:
    source = Provider(lambda ref: object())

    def follow(ref: Ref) -> object:
        ref.listen(source, lambda previous, value: setattr(container.read(follower.notifier), "state", value))
        return 0

    follower = notifier_of(follow)
    user = Provider(lambda ref: ref.watch(follower))
    container.listen(follower, lambda previous, value: None)
    container.invalidate(source)
    container.read(user)
    await container.pump()
    assert container.read(user) is container.read(source)
