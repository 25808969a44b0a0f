"""Synchronous notifiers and state providers: a persistent instance, and a state that is read, set and filtered."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.reactive.declared import Box, build_that_raises
from tests.unit.reactive.matrix import NOTIFIERS, Variant, ignore, settled, variants
from tests.unit.reactive.recording import changes_of, recording_builds
from tetherpy.reactive import AsyncData, Notifier, NotifierProvider, Provider, ProviderContainer, Ref, StateProvider
from tetherpy.reactive.errors import EndlessUpdateError, NotifierNotReadyError, ProviderError, UnmountedRefError

states = variants("StateProvider", "NotifierProvider")
notifiers = variants("NotifierProvider")


# -- the instance --------------------------------------------------------------------------------


@states
async def test_the_notifier_survives_rebuilds(variant: Variant, container: ProviderContainer) -> None:
    dep = StateProvider(lambda ref: 0)
    provider = variant.declare(lambda ref: ref.watch(dep))
    container.listen(provider, ignore)
    notifier = container.read(provider.notifier)
    container.refresh(provider)
    container.read(dep.notifier).state += 1
    await container.pump()
    assert container.read(provider.notifier) is notifier
    assert notifier.state == 1


@states
async def test_watching_the_notifier_does_not_rebuild(variant: Variant, container: ProviderContainer) -> None:
    builds: list[Any] = []
    provider = variant.declare(lambda ref: 0)
    user = recording_builds(builds, lambda ref: ref.watch(provider.notifier))
    told = changes_of(container, provider.notifier)
    container.listen(user, ignore)
    container.read(user).state = 1
    container.invalidate(provider)
    await container.pump()
    assert len(builds) == 1
    assert told == []


@variants("StateProvider", "NotifierProvider", auto_dispose=True)
async def test_a_new_notifier_is_created_after_disposal(variant: Variant, container: ProviderContainer) -> None:
    provider = variant.declare(lambda ref: 0)
    subscription = container.listen(provider.notifier, ignore)
    first = subscription.read()
    first.state = 42
    await container.pump()
    assert container.read(provider) == 42, "listening to the notifier keeps the state"
    subscription.close()
    await container.pump()
    assert not container.exists(provider)
    again = container.listen(provider.notifier, ignore).read()
    assert again is not first
    assert again.state == 0


class Counter(Notifier[int]):
    def build(self) -> int:
        return 0

    def increment(self) -> None:
        self.state += 1


def test_before_its_build_a_notifier_has_no_ref_and_no_state() -> None:
    uses: list[Any] = [
        lambda: Counter().state,
        lambda: setattr(Counter(), "state", 42),
        lambda: Counter().ref,
        Counter().increment,
    ]
    for use in uses:
        with pytest.raises(NotifierNotReadyError) as caught:
            use()
        assert caught.value.notifier_type is Counter


async def test_one_instance_belongs_to_one_provider(
    container: ProviderContainer, reported: list[BaseException]
) -> None:
    shared = Counter()
    one, other = NotifierProvider(lambda: shared), NotifierProvider(lambda: shared)
    container.read(one)
    with pytest.raises(ProviderError) as caught:
        container.read(other)
    assert isinstance(caught.value.__cause__, NotifierNotReadyError)
    assert container.read(one.notifier) is shared
    reported.clear()


@variants(*NOTIFIERS)
async def test_a_notifier_cannot_be_used_after_disposal(variant: Variant) -> None:
    container = ProviderContainer()
    provider = variant.declare(lambda ref: 0)
    container.listen(provider.notifier, ignore)
    notifier = container.read(provider.notifier)
    ref = notifier.ref
    await settled(container, provider)
    await container.aclose()
    assert not ref.mounted
    value = AsyncData(42) if variant.is_async else 42
    uses: list[Any] = [lambda: notifier.state, lambda: setattr(notifier, "state", value), lambda: notifier.ref]
    if variant.is_async:
        uses.append(lambda: notifier.future)
    for use in uses:
        with pytest.raises(UnmountedRefError):
            use()
    if variant.is_async:
        with pytest.raises(UnmountedRefError):
            await notifier.update(lambda value: 42)


@variants("StateProvider", *NOTIFIERS)
async def test_the_state_cannot_be_used_in_on_dispose(variant: Variant) -> None:
    value = AsyncData(42) if variant.is_async else 42
    uses: list[Any] = [lambda: notifier.state, lambda: setattr(notifier, "state", value)]
    if variant.is_async:
        uses.append(lambda: notifier.future)
    refused: list[Any] = []
    container = ProviderContainer()

    def too_late() -> None:
        for use in uses:
            with pytest.raises(UnmountedRefError):
                use()
            refused.append(use)

    def create(ref: Ref) -> int:
        ref.on_dispose(too_late)
        return 0

    provider = variant.declare(create)
    notifier = container.read(provider.notifier)
    await settled(container, provider)
    container.dispose()
    assert refused == uses


# -- the state -----------------------------------------------------------------------------------


@states
async def test_the_state_can_be_read_and_set(variant: Variant, container: ProviderContainer) -> None:
    provider = variant.declare(lambda ref: 0)
    told = changes_of(container, provider, fire_immediately=True)
    notifier = container.read(provider.notifier)
    for value in (1, 2):
        notifier.state += 1
        assert notifier.state == container.read(provider) == value
    assert told == [(None, 0), (0, 1), (1, 2)]
    assert container.refresh(provider) == 0
    assert notifier.state == 0
    assert told[3:] == [(2, 0)]


@variants(*NOTIFIERS, "StateProvider", auto_dispose=False)
async def test_refreshing_the_notifier_rebuilds_and_returns_it(variant: Variant, container: ProviderContainer) -> None:
    builds: list[int] = []
    provider = variant.declare(lambda ref: builds.append(0))
    container.listen(provider, ignore)
    notifier = container.read(provider.notifier)
    await settled(container, provider)
    assert container.refresh(provider.notifier) is notifier
    await settled(container, provider)
    assert len(builds) == 2


@states
async def test_equal_states_do_not_notify(variant: Variant, container: ProviderContainer) -> None:
    provider = variant.declare(lambda ref: Box(42))
    told = changes_of(container, provider)
    notifier = container.read(provider.notifier)
    notifier.state = notifier.state
    notifier.state = second = Box(42)
    assert notifier.state is second
    container.refresh(provider)
    assert told == []
    notifier.state = Box(21)
    assert told == [(Box(42), Box(21))]


@pytest.mark.parametrize("answer", [True, False])
async def test_update_should_notify_replaces_the_filter(answer: bool, container: ProviderContainer) -> None:
    asked: list[Any] = []

    class Asks(Notifier[int]):
        def build(self) -> int:
            return 0

        def update_should_notify(self, previous: int, next: int) -> bool:  # noqa: A002  the contract's name
            asked.append((previous, next))
            return answer

    provider = NotifierProvider(Asks)
    derived = Provider(lambda ref: ref.watch(provider))
    told = changes_of(container, provider)
    told_derived = changes_of(container, derived)
    notifier = container.read(provider.notifier)
    for value in (0, 1):
        notifier.state = value
    await container.pump()
    assert asked == [(0, 0), (0, 1)]
    assert told == ([(0, 0), (0, 1)] if answer else [])
    assert told_derived == ([(0, 1)] if answer else [])
    assert container.read(provider) == notifier.state == 1


@states
async def test_a_changed_dependency_replaces_a_set_state(variant: Variant, container: ProviderContainer) -> None:
    dep = StateProvider(lambda ref: 0)
    provider = variant.declare(lambda ref: ref.watch(dep))
    container.listen(provider, ignore)
    container.read(provider.notifier).state = 42
    container.read(dep.notifier).state = 1
    await container.pump()
    assert container.read(provider) == 1


async def test_the_last_state_can_be_kept_in_a_rebuild(container: ProviderContainer) -> None:
    class Initial(Notifier[int]):
        def build(self) -> int:
            return 42

    class Keeps(Notifier[int | None]):
        def build(self) -> int | None:
            initial = self.ref.watch(source)
            return initial if self.ref.is_first_build else self.state

    source = NotifierProvider(Initial)
    keeps = NotifierProvider(Keeps)
    container.listen(keeps, ignore)
    assert container.read(keeps) == 42
    container.read(source.notifier).state = 21
    await container.pump()
    assert (container.read(keeps), container.read(source)) == (42, 21)

    container.read(keeps.notifier).state = None
    container.invalidate(keeps)
    assert container.read(keeps) is None


async def test_the_state_cannot_be_read_before_the_first_build_has_set_it(
    container: ProviderContainer, reported: list[BaseException]
) -> None:
    class Early(Notifier[int]):
        def build(self) -> int:
            return self.state

    class Sets(Notifier[int]):
        def build(self) -> int:
            self.state = 41
            return self.state + 1

    with pytest.raises(ProviderError) as caught:
        container.read(NotifierProvider(Early))
    assert isinstance(caught.value.__cause__, NotifierNotReadyError)
    assert container.read(NotifierProvider(Sets)) == 42
    reported.clear()


@states
async def test_update_computes_the_state_from_the_present_one(variant: Variant, container: ProviderContainer) -> None:
    if variant.kind == "StateProvider":
        provider = variant.declare(lambda ref: 1)
        controller = container.read(provider.notifier)
        assert controller.update(lambda value: value + 41) == 42
        assert controller.state == container.read(provider) == 42
    else:
        provider = NotifierProvider(Counter)
        container.read(provider.notifier).increment()
        assert container.read(provider) == 1


# -- errors --------------------------------------------------------------------------------------


@notifiers
async def test_a_notifier_can_be_used_after_a_failed_build(
    variant: Variant, container: ProviderContainer, reported: list[BaseException]
) -> None:
    error = OSError("no")
    provider = variant.declare(build_that_raises(error))
    told = changes_of(container, provider, on_error=lambda error: told_errors.append(error))
    told_errors: list[Exception] = []
    with pytest.raises(ProviderError):
        container.read(provider)
    notifier = container.listen(provider.notifier, ignore).read()
    with pytest.raises(ProviderError) as caught:
        _ = notifier.state
    assert caught.value.__cause__ is error

    notifier.state = 0
    assert told == [(None, 0)]
    assert told_errors == []
    assert notifier.state == container.read(provider) == 0
    assert changes_of(container, provider, fire_immediately=True) == [(None, 0)]
    assert reported == [error]
    reported.clear()


@pytest.mark.parametrize("view", ["state", "notifier"])
async def test_an_error_in_the_constructor_is_an_error_of_provider_and_notifier(
    view: str, container: ProviderContainer, reported: list[BaseException]
) -> None:
    error = OSError("no")

    def make() -> Counter:
        raise error

    provider = NotifierProvider(make)
    listened: Any = provider if view == "state" else provider.notifier
    with pytest.raises(ProviderError):
        container.read(listened)
    errors: list[Exception] = []
    quiet = container.listen(listened, ignore, on_error=errors.append)
    assert errors == []
    container.listen(listened, ignore, on_error=errors.append, fire_immediately=True)
    (told,) = errors
    assert error in (told, told.__cause__)
    with pytest.raises(ProviderError):
        quiet.read()
    reported.clear()


# -- listen_self ---------------------------------------------------------------------------------


@notifiers
async def test_listen_self_is_called_first_for_every_build(variant: Variant, container: ProviderContainer) -> None:
    log: list[Any] = []
    results = [0, 0, 42]

    def create(ref: Any) -> int:
        build = len(results)
        ref.listen_self(lambda previous, value: log.append(("self", build, previous, value)))
        return results.pop(0)

    provider = variant.declare(create)
    container.listen(provider, lambda previous, value: log.append((previous, value)), fire_immediately=True)
    assert log == [("self", 3, None, 0), (None, 0)]
    log.clear()
    container.refresh(provider)
    assert log == [("self", 2, 0, 0)]
    log.clear()
    container.refresh(provider)
    assert log == [("self", 1, 0, 42), (0, 42)]
    log.clear()
    container.read(provider.notifier).state = 42
    container.read(provider.notifier).state = 43
    assert log == [("self", 1, 42, 43), (42, 43)]


@notifiers
async def test_listen_self_is_called_first_for_errors(
    variant: Variant, container: ProviderContainer, reported: list[BaseException]
) -> None:
    log: list[Any] = []
    errors = [OSError("one"), OSError("two")]

    def create(ref: Any) -> int:
        ref.listen_self(lambda previous, value: log.append(value), lambda error: log.append(("self", error)))
        raise errors[len(reported)]

    provider = variant.declare(create)
    with pytest.raises(ProviderError):
        container.read(provider)
    container.listen(provider, ignore, on_error=lambda error: log.append(error))
    with pytest.raises(ProviderError):
        container.refresh(provider)
    assert log == [("self", errors[0]), ("self", errors[1]), errors[1]]
    reported.clear()


@notifiers
async def test_listen_self_can_be_removed(
    variant: Variant, container: ProviderContainer, reported: list[BaseException]
) -> None:
    log: list[Any] = []
    removers: list[Any] = []

    def create(ref: Any) -> int:
        remove = ref.listen_self(lambda previous, value: log.append(value), log.append)
        if not removers:
            removers.append(remove)
            return 0
        remove()
        raise OSError("no")

    provider = variant.declare(create)
    container.listen(provider, ignore)
    assert log == [0]
    removers[0]()
    container.read(provider.notifier).state = 42
    with pytest.raises(ProviderError):
        container.refresh(provider)
    assert log == [0]
    reported.clear()


@notifiers
async def test_listen_self_may_listen_to_others_and_does_not_keep_them(
    variant: Variant, container: ProviderContainer
) -> None:
    heard: list[Any] = []
    other = Provider.auto_dispose(lambda ref: 0)

    def create(ref: Any) -> int:
        def listen(previous: Any, value: Any) -> None:
            ref.listen(other, lambda previous, value: heard.append((previous, value)), fire_immediately=True)

        ref.listen_self(listen)
        return 42

    provider = variant.declare(create)
    container.read(provider)
    assert heard == [(None, 0)]
    await container.pump()
    assert container.exists(provider) is container.exists(other) is not variant.auto_dispose


async def test_listen_self_may_correct_the_state(container: ProviderContainer) -> None:
    class AtMost10(Notifier[int]):
        def build(self) -> int:
            self.listen_self(lambda previous, value: setattr(self, "state", min(value, 10)))
            return 0

    provider = NotifierProvider(AtMost10)
    container.read(provider)
    container.read(provider.notifier).state = 42
    assert container.read(provider) == 10


async def test_listen_self_gets_changes_that_update_should_notify_filters_out(container: ProviderContainer) -> None:
    log: list[Any] = []

    class Silent(Notifier[int]):
        def build(self) -> int:
            self.listen_self(lambda previous, value: log.append((previous, value)))
            return 0

        def update_should_notify(self, previous: int, next: int) -> bool:  # noqa: A002  the contract's name
            return False

    provider = NotifierProvider(Silent)
    told = changes_of(container, provider)
    container.read(provider.notifier).state = 1
    assert log == [(None, 0), (0, 1)]
    assert told == []


async def test_a_listener_that_changes_its_state_without_end_is_an_error(container: ProviderContainer) -> None:
    class Endless(Notifier[int]):
        def build(self) -> int:
            self.listen_self(lambda previous, value: setattr(self, "state", value + 1))
            return 0

    provider = NotifierProvider(Endless)
    with pytest.raises(EndlessUpdateError) as caught:
        container.read(provider)
    assert caught.value.provider is provider
