"""The types that checkers infer for every form of declaration; checked by tests/unit/test_types.py.

Never run: a wrong inference is an error of mypy --strict or pyright strict.
"""
# pyright: strict

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any, assert_never, assert_type

from reactivex import Observable

from tetherpy import (
    AsyncData,
    AsyncError,
    AsyncLoading,
    AsyncNotifier,
    AsyncNotifierProvider,
    AsyncResult,
    AsyncState,
    AsyncValue,
    FutureProvider,
    KeepAliveLink,
    Notifier,
    NotifierProvider,
    Override,
    Provider,
    ProviderContainer,
    ProviderListenable,
    ProviderSubscription,
    Ref,
    StateProvider,
    StreamNotifier,
    StreamNotifierProvider,
    StreamProvider,
    exponential_retry,
    never,
)
from tetherpy.reactive import Family, NotifierRef, StateController


class User:
    name: str = "Ada"
    age: int = 36


# -- Provider --------------------------------------------------------------------------------------


@Provider
def greeting(ref: Ref) -> str:
    return "Hello"


@Provider.auto_dispose
def short_lived(ref: Ref) -> list[int]:
    return []


@Provider.options(name="named", dependencies=[greeting], retry=never)
def configured(ref: Ref) -> str | None:
    return None


@Provider.family
def member(ref: Ref, number: int) -> str:
    return str(number)


@Provider.auto_dispose.family
def fleeting_member(ref: Ref, first: int, /, second: str = "a", *, third: bool = False) -> dict[str, int]:
    return {}


@Provider.options(auto_dispose=True, dependencies=[]).family
def configured_member(ref: Ref, /, *numbers: int, **words: str) -> bytes:
    return b""


inline = Provider(lambda ref: ref.watch(greeting).upper(), name="inline", auto_dispose=True)
annotated = Provider[float](lambda ref: 1)

assert_type(greeting, Provider[str])
assert_type(short_lived, Provider[list[int]])
assert_type(configured, Provider[str | None])
assert_type(member(1), Provider[str])
assert_type(member(number=1), Provider[str])
assert_type(fleeting_member(1), Provider[dict[str, int]])
assert_type(fleeting_member(1, "b", third=True), Provider[dict[str, int]])
assert_type(fleeting_member(1, second="b"), Provider[dict[str, int]])
assert_type(configured_member(1, 2, word="a"), Provider[bytes])
assert_type(inline, Provider[str])
assert_type(annotated, Provider[float])


# -- FutureProvider --------------------------------------------------------------------------------


@FutureProvider
async def user(ref: Ref) -> User:
    return User()


@FutureProvider
def awaitable_user(ref: Ref) -> Awaitable[User]:
    return ref.watch(user.future)


@FutureProvider
def ready_user(ref: Ref) -> User:
    return User()


@FutureProvider.auto_dispose
async def short_lived_user(ref: Ref) -> User:
    return User()


@FutureProvider.options(retry=exponential_retry)
async def retried_user(ref: Ref) -> User:
    return User()


@FutureProvider.family
async def user_by_id(ref: Ref, user_id: int) -> User:
    return User()


@FutureProvider.auto_dispose.family
async def page(ref: Ref, *, number: int = 1, size: int = 20) -> list[User]:
    return []


@FutureProvider.options(dependencies=[]).family
def ready_page(ref: Ref, number: int) -> list[User]:
    return []


assert_type(user, FutureProvider[User])
assert_type(awaitable_user, FutureProvider[User])
assert_type(ready_user, FutureProvider[User])
assert_type(short_lived_user, FutureProvider[User])
assert_type(retried_user, FutureProvider[User])
assert_type(user_by_id(1), FutureProvider[User])
assert_type(user_by_id(user_id=1), FutureProvider[User])
assert_type(page(), FutureProvider[list[User]])
assert_type(page(size=5), FutureProvider[list[User]])
assert_type(ready_page(1), FutureProvider[list[User]])
assert_type(FutureProvider[User](lambda ref: User()), FutureProvider[User])


# -- StreamProvider --------------------------------------------------------------------------------


@StreamProvider
async def ticks(ref: Ref) -> AsyncIterator[int]:
    yield 1


@StreamProvider
def observed(ref: Ref) -> Observable[int]:
    raise NotImplementedError


@StreamProvider.auto_dispose
async def short_ticks(ref: Ref) -> AsyncIterator[int]:
    yield 1


@StreamProvider.family
def observed_member(ref: Ref, job_id: int) -> Observable[str | None]:
    raise NotImplementedError


@StreamProvider.auto_dispose.family
async def ticks_from(ref: Ref, first: int, step: int = 1) -> AsyncIterator[int]:
    yield first


assert_type(ticks, StreamProvider[int])
assert_type(observed, StreamProvider[int])
assert_type(short_ticks, StreamProvider[int])
assert_type(observed_member(1), StreamProvider[str | None])
assert_type(ticks_from(1, step=2), StreamProvider[int])


# -- StateProvider ---------------------------------------------------------------------------------

filter_text = StateProvider(lambda ref: "")
page_number = StateProvider[int | None](lambda ref: None)


@StateProvider.auto_dispose.family
def draft(ref: Ref, document: str) -> list[str]:
    return []


assert_type(filter_text, StateProvider[str])
assert_type(page_number, StateProvider[int | None])
assert_type(draft("a"), StateProvider[list[str]])


# -- notifiers -------------------------------------------------------------------------------------


class Counter(Notifier[int]):
    def build(self) -> int:
        assert_type(self.ref, NotifierRef[int])
        assert_type(self.ref.watch(greeting), str)
        return 0

    def increment(self) -> None:
        self.state += 1
        assert_type(self.state, int)
        self.listen_self(lambda previous, value: assert_type(value, int))

    def update_should_notify(self, previous: int, next: int) -> bool:  # noqa: A002
        return previous != next


class Room(Notifier[list[str]]):
    def __init__(self, room: str, *, limit: int = 10) -> None:
        self.room = room

    def build(self) -> list[str]:
        return [self.room]


class Todos(AsyncNotifier[list[str]]):
    def __init__(self, user_id: int = 0) -> None:
        self.user_id = user_id

    async def build(self) -> list[str]:
        assert_type(self.state, AsyncState[list[str]])
        return []

    async def add(self, text: str) -> None:
        self.state = AsyncLoading()
        self.state = AsyncData([text])
        self.state = await AsyncValue.guard_async(self.build)
        assert_type(await self.future, list[str])
        assert_type(await self.update(lambda todos: [*todos, text]), list[str])


class ReadyTodos(AsyncNotifier[list[str]]):
    def build(self) -> list[str]:
        return []


class Ticker(StreamNotifier[int]):
    async def build(self) -> AsyncIterator[int]:
        yield 1


counter = NotifierProvider(Counter)
subscripted = NotifierProvider[Counter, int](Counter)
todos = AsyncNotifierProvider(Todos)
ready_todos = AsyncNotifierProvider.auto_dispose(ReadyTodos)
ticker = StreamNotifierProvider(Ticker)
room = NotifierProvider.family(Room)
todos_of = AsyncNotifierProvider.auto_dispose.family(Todos)
named = NotifierProvider.options(name="named", auto_dispose=True)(Counter)
named_room = NotifierProvider.options(dependencies=[]).family(Room)

assert_type(counter, NotifierProvider[Counter, int])
assert_type(subscripted, NotifierProvider[Counter, int])
assert_type(todos, AsyncNotifierProvider[Todos, list[str]])
assert_type(ready_todos, AsyncNotifierProvider[ReadyTodos, list[str]])
assert_type(ticker, StreamNotifierProvider[Ticker, int])
assert_type(room("a"), NotifierProvider[Room, list[str]])
assert_type(room("a", limit=3), NotifierProvider[Room, list[str]])
assert_type(todos_of(7), AsyncNotifierProvider[Todos, list[str]])
assert_type(todos_of(), AsyncNotifierProvider[Todos, list[str]])
assert_type(named, NotifierProvider[Counter, int])
assert_type(named_room("a"), NotifierProvider[Room, list[str]])


# -- reading ---------------------------------------------------------------------------------------


def inside(ref: Ref) -> None:
    assert_type(ref.watch(greeting), str)
    assert_type(ref.watch(user), AsyncState[User])
    assert_type(ref.watch(ticks), AsyncState[int])
    assert_type(ref.watch(todos), AsyncState[list[str]])
    assert_type(ref.watch(counter), int)
    assert_type(ref.watch(filter_text), str)
    assert_type(ref.watch(counter.notifier), Counter)
    assert_type(ref.watch(filter_text.notifier), StateController[str])
    assert_type(ref.watch(room("a").notifier), Room)
    assert_type(ref.watch(greeting.select(len)), int)
    assert_type(ref.watch(greeting.select(lambda text: text.upper())), str)
    assert_type(ref.watch(greeting.select(len).select(lambda size: size > 3)), bool)
    assert_type(ref.watch(user.select(lambda state: state.has_value)), bool)
    assert_type(ref.read(member(1)), str)
    assert_type(ref.refresh(greeting), str)
    assert_type(ref.refresh(counter.notifier), Counter)
    assert_type(ref.exists(greeting), bool)
    assert_type(ref.keep_alive(), KeepAliveLink)
    assert_type(ref.listen(counter, lambda previous, value: None), ProviderSubscription[int])
    ref.listen(counter, lambda previous, value: assert_type((previous, value), tuple[int | None, int]))
    ref.invalidate(member)
    ref.invalidate(member(1), as_reload=True)
    ref.cache_for(timedelta(minutes=5))
    ref.cache_for(2.5)
    assert_type(ref.on_dispose(lambda: None), Callable[[], None])
    with open("/dev/null") as file:
        assert_type(ref.enter(file).read(), str)


async def waiting(ref: Ref) -> None:
    assert_type(await ref.watch(user.future), User)
    assert_type(await ref.watch(ticks.future), int)
    assert_type(await ref.watch(todos.future), list[str])
    assert_type(await ref.watch(page(size=1).future), list[User])
    assert_type(await ref.watch(user.select_async(lambda found: found.name)), str)
    assert_type(await ref.refresh(user.future), User)

    async def answer() -> int:
        return 42

    assert_type(await ref.create_task(answer()), int)


async def outside(container: ProviderContainer) -> None:
    assert_type(container.read(greeting), str)
    assert_type(container.read(user), AsyncState[User])
    assert_type(await container.read(user.future), User)
    assert_type(container.read(counter.notifier), Counter)
    assert_type(container.refresh(user), AsyncState[User])
    assert_type(container.observe(counter), Observable[int])
    async for value in container.stream(greeting):
        assert_type(value, str)
    with container.listen(counter, lambda previous, value: None, fire_immediately=True) as subscription:
        assert_type(subscription.read(), int)
    with container as same:
        assert_type(same, ProviderContainer)
    async with container as same:
        assert_type(same, ProviderContainer)
    container.read(counter.notifier).increment()
    container.read(filter_text.notifier).state = "x"
    assert_type(container.read(filter_text.notifier).update(str.upper), str)


def generic(container: ProviderContainer, listenable: ProviderListenable[bytes]) -> bytes:
    return container.read(listenable)


# -- AsyncValue ------------------------------------------------------------------------------------


def cases(state: AsyncState[User]) -> str:
    match state:
        case AsyncData(found):
            assert_type(found, User)
            return found.name
        case AsyncError(error):
            assert_type(error, Exception)
            return str(error)
        case AsyncLoading(progress=progress):
            assert_type(progress, float | None)
            return "..."
        case _:
            assert_never(state)


def values(state: AsyncValue[User], other: AsyncValue[int], third: AsyncValue[str]) -> None:
    assert_type(state.value, User | None)
    assert_type(state.require_value, User)
    assert_type(state.as_data, AsyncData[User] | None)
    assert_type(state.as_error, AsyncError[User] | None)
    assert_type(state.when(data=lambda found: found.age, error=lambda error: 0, loading=lambda: -1), int)
    assert_type(state.when_data(lambda found: found.name), AsyncState[str])
    assert_type(state.unwrap_previous(), AsyncState[User])
    assert_type(AsyncValue.guard(lambda: 3), AsyncResult[int])
    assert_type(AsyncValue.combine(state, other), AsyncState[tuple[User, int]])
    assert_type(AsyncValue.combine(state, other, third), AsyncState[tuple[User, int, str]])


# -- overrides -------------------------------------------------------------------------------------


async def fake_user(ref: Ref, user_id: int) -> User:
    return User()


class FakeTodos(Todos):
    pass


overrides: list[Override] = [
    greeting.override_with_value("Hi"),
    greeting.override_with(lambda ref: "Hi"),
    user.override_with_value(AsyncData(User())),
    user.override_with_value(AsyncLoading(0.5)),
    user.override_with_value(AsyncError(ValueError())),
    user.override_with(lambda ref: User()),
    user_by_id.override_with(fake_user),
    user_by_id(1).override_with_value(AsyncData(User())),
    ticks.override_with_value(AsyncData(1)),
    filter_text.override_with_value("a"),
    counter.override_with(Counter),
    counter.override_with_value(3),
    counter.override_with_build(lambda ref, notifier: assert_type(notifier, Counter).state),
    todos.override_with(Todos),
    todos.override_with_build(lambda ref, notifier: [str(notifier.user_id)]),
    ticker.override_with_value(AsyncData(1)),
    room.override_with(Room),
    member.override_with(lambda ref, number: str(number)),
]


def containers(parent: ProviderContainer) -> None:
    ProviderContainer(overrides=overrides, retry=exponential_retry, parent=parent)
    ProviderContainer(retry=lambda count, error: 0.5 if count < 3 else None)
    ProviderContainer(retry=lambda count, error: timedelta(seconds=1), on_error=lambda error, provider: None)


def any_family(family: Family[..., Any, Provider[int]]) -> Provider[int]:
    return family(1, two=2)
