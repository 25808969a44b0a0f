"""Overrides of notifiers: another class, build or value, for one provider or a family, while containers use them."""

from __future__ import annotations

import asyncio

import pytest

from tests.unit.reactive.matrix import ignore
from tetherpy.reactive import (
    AsyncData,
    AsyncNotifier,
    AsyncNotifierProvider,
    Notifier,
    NotifierProvider,
    Provider,
    ProviderContainer,
    StateProvider,
)
from tetherpy.reactive.errors import UnmountedRefError

number = StateProvider(lambda ref: 0)


async def test_a_notifier_class_is_replaced_by_another_class() -> None:
    class Counter(AsyncNotifier[int]):
        async def build(self) -> int:
            return 0

        def increment(self) -> None:
            self.state = AsyncData(self.state.require_value + 1)

    class Fake(Counter):
        async def build(self) -> int:
            return 100

    provider = AsyncNotifierProvider(Counter)
    async with ProviderContainer(overrides=[provider.override_with(Fake)]) as container:
        container.listen(provider, ignore)
        assert await container.read(provider.future) == 100
        container.read(provider.notifier).increment()
        assert container.read(provider) == AsyncData(101)
        assert type(container.read(provider.notifier)) is Fake


def test_the_replacement_of_a_family_gets_the_arguments() -> None:
    class Original(Notifier[str]):
        def __init__(self, first: int) -> None:
            self.first = first

        def build(self) -> str:
            return f"original {self.first}"

    class Replacement(Original):
        def build(self) -> str:
            return f"replacement {self.first}"

    notifiers = NotifierProvider.family(Original)
    with ProviderContainer(overrides=[notifiers.override_with(Replacement)]) as container:
        assert container.read(notifiers(2)) == "replacement 2"


class Counter(Notifier[int]):
    def build(self) -> int:
        return 0

    def add(self) -> None:
        self.state += 1


class FakeCounter(Counter):
    def add(self) -> None:
        self.state += 1000


class User(AsyncNotifier[str]):
    def __init__(self, name: str = "ann") -> None:
        self.name = name

    async def build(self) -> str:
        return self.name


class FakeUser(User):
    async def build(self) -> str:
        return "fake"


def test_a_replaced_notifier_is_unmounted() -> None:
    counter = NotifierProvider(Counter)
    ways = [
        counter.override_with(Counter), counter.override_with_value(5),
        counter.override_with_build(lambda ref, notifier: 5), counter.override_with(FakeCounter),
    ]  # fmt: skip
    with ProviderContainer(overrides=[counter.override_with(FakeCounter)]) as container:
        for override in ways:
            old = container.read(counter.notifier)
            container.update_overrides([override])
            for use in (lambda old=old: setattr(old, "state", 77), old.add, lambda old=old: old.ref):
                with pytest.raises(UnmountedRefError):
                    use()
            new = container.read(counter.notifier)
            assert new is not old
            assert type(new) is (FakeCounter if override is ways[-1] else Counter)
            new.add()
        assert container.read(counter) == 1000


async def test_a_replaced_asynchronous_notifier_is_unmounted() -> None:
    user = AsyncNotifierProvider(User)
    ways = [
        user.override_with_value(AsyncData("value")), user.override_with_build(lambda ref, notifier: "built"),
        user.override_with(User), user.override_with_value(AsyncData("other")),
    ]  # fmt: skip
    async with ProviderContainer(overrides=[user.override_with(FakeUser)]) as container:
        container.listen(user, lambda previous, value: None)
        for override, name in zip(ways, ("value", "built", "ann", "other"), strict=True):
            old = container.read(user.notifier)
            late = asyncio.ensure_future(old.update(lambda name: asyncio.sleep(0, "late")))
            await asyncio.sleep(0)
            container.update_overrides([override])
            with pytest.raises(UnmountedRefError):
                old.state = AsyncData("old")
            assert await container.read(user.future) == name
            assert await late == "late"
            new = container.read(user.notifier)
            assert type(new) is User
            assert container.read(user).value == name
            new.state = AsyncData("mine")
            assert container.read(user).value == "mine"


async def test_the_build_of_a_family_of_notifiers_can_be_overridden() -> None:
    users = AsyncNotifierProvider.family(User)
    counters = NotifierProvider.family(lambda start: Counter())
    overrides = [
        users.override_with_build(lambda ref, user: f"{user.name} of {ref.watch(number)}"),
        counters.override_with_build(lambda ref, counter: ref.watch(number) + 5),
        users("bob").override_with_value(AsyncData("Bob")),
    ]
    async with ProviderContainer(overrides=overrides) as container:
        assert await container.read(users("eve").future) == "eve of 0"
        assert await container.read(users("bob").future) == "Bob"
        container.listen(counters(1), lambda previous, value: None)
        assert container.read(counters(1)) == 5
        container.read(counters(1).notifier).add()
        assert container.read(counters(1)) == 6


def test_a_provider_or_family_in_the_overrides_has_its_own_state_in_that_container() -> None:
    counter = NotifierProvider(Counter, dependencies=[])
    double = Provider(lambda ref: ref.watch(counter) * 2, dependencies=[counter])
    counters = NotifierProvider.options(dependencies=[]).family(lambda start: Counter())
    with ProviderContainer() as container:
        container.read(counter.notifier).add()
        container.read(counters(1).notifier).add()
        child = ProviderContainer(parent=container, overrides=[counter, counters])
        assert (child.read(counter), child.read(double), child.read(counters(1))) == (0, 0, 0)
        child.read(counter.notifier).state = 5
        assert (child.read(double), container.read(double)) == (10, 2)
        assert (container.read(counter), container.read(counters(1))) == (1, 1)
        child.update_overrides([counter, counters])
        assert child.read(counter) == 5
        child.update_overrides([counter.override_with_value(7), counters])
        assert child.read(double) == 14
        assert ProviderContainer(overrides=[counter]).read(counter) == 0
