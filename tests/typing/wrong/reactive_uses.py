"""Uses that a type checker must refuse: every line that ends in ``# wrong`` is an error, and no other line is.

No module imports this file; test_types.py runs mypy and pyright on it.
"""
# ruff: noqa: B018

from __future__ import annotations

from collections.abc import AsyncIterator

from tests.unit.reactive.declared import Counter
from tetherpy import (
    AsyncData,
    AsyncNotifier,
    AsyncNotifierProvider,
    FutureProvider,
    Notifier,
    NotifierProvider,
    Provider,
    ProviderContainer,
    Ref,
    StateProvider,
    StreamNotifier,
    StreamNotifierProvider,
    StreamProvider,
)


class Names(AsyncNotifier[str]):
    async def build(self) -> str:
        return ""


class Ticker(StreamNotifier[int]):
    async def build(self) -> AsyncIterator[int]:
        yield 1


class Room(Notifier[str]):
    def __init__(self, room: str) -> None:
        self.room = room

    def build(self) -> str:
        return self.room


def text(ref: Ref) -> str:
    return ""


async def number(ref: Ref) -> int:
    return 0


def by_id(ref: Ref, user_id: int) -> str:
    return ""


greeting = Provider(text)
answer = FutureProvider(number)
member = Provider.family(by_id)
counter = NotifierProvider(Counter)
names = AsyncNotifierProvider(Names)
room = NotifierProvider.family(Room)
state = StateProvider(lambda ref: 0)
container = ProviderContainer()

# Declarations
StreamProvider(text)  # wrong
NotifierProvider(Names)  # wrong
AsyncNotifierProvider(Counter)  # wrong
AsyncNotifierProvider(Ticker)  # wrong
StreamNotifierProvider(Names)  # wrong
NotifierProvider(Room)  # wrong
Provider(by_id)  # wrong
Provider[int](text)  # wrong
Provider(text, auto_dipose=True)  # wrong
Provider.options(retry=3)  # wrong

# Types of reads
one: int = container.read(greeting)  # wrong
two: int = container.read(answer)  # wrong
three: str = container.read(counter)  # wrong
four: Names = container.read(counter.notifier)  # wrong
five: int = container.read(greeting.select(str.upper))  # wrong
container.read(answer).value + 1  # wrong
container.read(text)  # wrong
greeting.future  # wrong
greeting.notifier  # wrong
answer.notifier  # wrong
counter.select_async(str)  # wrong

# Families
member("a")  # wrong
member()  # wrong
member(user=1)  # wrong
room(3)  # wrong
container.read(member)  # wrong

# State
container.read(counter.notifier).state = "a"  # wrong
container.read(state.notifier).state = None  # wrong
container.read(names.notifier).state = "a"  # wrong
container.read(names.notifier).state = AsyncData(1)  # wrong
container.read(counter).state  # wrong

# Overrides
greeting.override_with_value(1)  # wrong
greeting.override_with(number)  # wrong
answer.override_with_value(3)  # wrong
answer.override_with_value(AsyncData("a"))  # wrong
counter.override_with(Room)  # wrong
counter.override_with_build(lambda ref, notifier: "a")  # wrong
member.override_with(text)  # wrong
ProviderContainer(overrides=[(greeting, "hello")])  # wrong

# Listening and refreshing
container.listen(counter, lambda value: None)  # wrong
container.refresh(greeting.select(len))  # wrong
container.listen(greeting, lambda previous, value: value + 1)  # wrong
