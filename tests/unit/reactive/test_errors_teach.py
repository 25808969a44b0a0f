"""Messages of all errors: each states what happened, why and a remedy; the data is in attributes."""

from __future__ import annotations

import asyncio
import inspect
import pickle
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import attrs
import pytest
import reactivex
from reactivex import Subject

from tests.unit.reactive.declared import counter, root_cause
from tetherpy.errors import TetherError
from tetherpy.reactive import (
    AsyncError,
    FutureProvider,
    History,
    InMemoryStorage,
    Mutation,
    MutationTransaction,
    Notifier,
    NotifierProvider,
    Provider,
    ProviderContainer,
    Ref,
    StateProvider,
    StorageOptions,
    StreamProvider,
    errors,
)
from tetherpy.reactive.errors import (
    AsyncCallbackError,
    AsyncValueIsLoadingError,
    BatchOverAwaitError,
    BuildCancelledError,
    ChangeDuringBuildError,
    CircularDependencyError,
    ContainerClosingError,
    ContainerDisposedError,
    DeclarationError,
    DuplicateOverrideError,
    DuplicatePersistKeyError,
    EndlessUpdateError,
    FamilyArgumentsError,
    GraphInvariantError,
    HistoryClosedError,
    MissingDependencyError,
    MutationEndedError,
    NewerDataError,
    NoEventLoopError,
    NotAnExceptionError,
    NotAnOverrideError,
    NotAProviderError,
    NotBuiltError,
    NotCallableError,
    NoTestError,
    NotifierNotReadyError,
    NotScopedError,
    NotUndoableError,
    OutsideScopeError,
    OverrideMismatchError,
    ProviderDisposedError,
    ProviderError,
    ProviderReturnTypeError,
    ReactiveArgumentError,
    ReadDuringDisposalError,
    StreamEndedError,
    SubscriptionClosedError,
    UnhashableArgumentError,
    UnmountedRefError,
    UnnamedProviderError,
    WrongThreadError,
)
from tetherpy.reactive.graph.updates.read import read as read_element

total = StateProvider(lambda ref: 0, name="total")
tenant = Provider(lambda ref: "none", name="tenant", dependencies=[])


def ignore(*anything: Any) -> None:
    pass


def container_of(**options: Any) -> ProviderContainer:
    return ProviderContainer(on_error=ignore, **options)


Make = Callable[[], BaseException]


@attrs.frozen
class Case:
    """A function that returns an error, with the error's type and the parts of its message."""

    make: Make
    kind: type[BaseException]
    what: str
    why: str
    remedy: str


CASES: list[Case] = []


def shows(kind: type[BaseException], what: str, why: str, remedy: str) -> Callable[[Make], Make]:
    """Add the decorated function to the cases."""

    def add(make: Make) -> Make:
        CASES.append(Case(make, kind, what, why, remedy))
        return make

    return add


loading_user = FutureProvider(lambda ref: asyncio.Event().wait(), name="user")


def raised(act: Callable[[], Any]) -> BaseException:
    """Return the root cause of the error that a function raises."""
    with pytest.raises(Exception) as caught:  # noqa: PT011  the cases say which
        act()
    error = root_cause(caught.value)
    assert error is not None
    return error


def error_in_state_of(provider: FutureProvider[Any] | StreamProvider[Any]) -> BaseException:
    state = container_of().read(provider)
    assert isinstance(state, AsyncError)
    return state.error


async def read_future(provider: FutureProvider[Any] | StreamProvider[Any]) -> None:
    async with container_of() as container:
        await container.read(provider.future)


@shows(
    CircularDependencyError,
    "Provider(a) -> Provider(b) -> Provider(a)",
    "cannot depend on its own value",
    "Move the shared part",
)
def circular() -> BaseException:
    a: Provider[int] = Provider(lambda ref: ref.watch(b), name="a")
    b: Provider[int] = Provider(lambda ref: ref.watch(a), name="b")
    return raised(lambda: container_of().read(a))


@shows(
    ChangeDuringBuildError,
    "Provider(meddler) tried to change StateProvider(total)",
    "would see a different value",
    "Derive the value with ref.watch",
)
def changed_during_build() -> BaseException:
    @Provider
    def meddler(ref: Ref) -> None:
        ref.read(total.notifier).state = 1

    return raised(lambda: container_of().read(meddler))


@shows(
    ChangeDuringBuildError,
    "Provider(meddler) tried to change StateProvider(total)",
    "would see a different value",
    "Derive the value with ref.watch",
)
def invalidated_during_build() -> BaseException:
    @Provider
    def meddler(ref: Ref) -> None:
        ref.watch(total)
        ref.invalidate(total)

    return raised(lambda: container_of().read(meddler))


@shows(ContainerDisposedError, "was disposed", "disposed with it", "Keep the container open")
def used_after_disposal() -> BaseException:
    container = ProviderContainer()
    container.dispose()
    return raised(lambda: container.read(total))


@shows(
    UnmountedRefError, "Ref of Provider(saver) was used after", "earlier build was still running", "check ref.mounted"
)
def unmounted() -> BaseException:
    refs: list[Ref] = []
    saver = Provider(refs.append, name="saver")
    container = ProviderContainer()
    container.read(saver)
    container.invalidate(saver)
    container.read(saver)
    return raised(lambda: refs[0].watch(total))


@shows(UnmountedRefError, "NotifierProvider(Counter)", "disposed", "ref.mounted")
def disposed_notifier() -> BaseException:
    container = ProviderContainer()
    notifier = container.read(counter.notifier)
    container.dispose()
    return raised(lambda: setattr(notifier, "state", 1))


@shows(NotifierNotReadyError, "Eager was used before", "constructor", "Do this work in build()")
def notifier_used_too_early() -> BaseException:
    class Eager(Notifier[int]):
        def __init__(self) -> None:
            self.state = 3

        def build(self) -> int:
            return 0

    return raised(lambda: container_of().read(NotifierProvider(Eager)))


@shows(NotifierNotReadyError, "Curious was used", "returned the first state", "in build()")
def notifier_without_state() -> BaseException:
    class Curious(Notifier[int]):
        def build(self) -> int:
            return self.state + 1

    return raised(lambda: container_of().read(NotifierProvider(Curious)))


@shows(WrongThreadError, "used in another thread", "belongs to the thread", "call_soon_threadsafe(fn)")
def wrong_thread() -> BaseException:
    caught: list[BaseException] = []
    container = ProviderContainer()

    def meddle() -> None:
        try:
            container.read(total)
        except WrongThreadError as error:
            caught.append(error)

    thread = threading.Thread(target=meddle)
    thread.start()
    thread.join()
    return caught[0]


@shows(UnhashableArgumentError, "Family(report) was given columns=['a']", "list is not hashable", "Pass a tuple")
def unhashable() -> BaseException:
    @Provider.family
    def report(ref: Ref, columns: list[str], width: int = 80) -> str:
        return ""

    return raised(lambda: report(["a"]))


@shows(
    NotScopedError, "StateProvider(total) was overridden in a child", "would not see the override", "dependencies=[]"
)
def not_scoped() -> BaseException:
    parent = ProviderContainer()
    return raised(lambda: ProviderContainer(parent=parent, overrides=[total.override_with_value(1)]))


@shows(
    MissingDependencyError,
    "Provider(invoice) uses Provider(tenant)",
    "would not follow an override",
    "dependencies=[..., tenant]",
)
def missing_dependency() -> BaseException:
    invoice = Provider(lambda ref: ref.watch(tenant), name="invoice")
    return raised(lambda: container_of().read(invoice))


@shows(
    MissingDependencyError,
    "Provider(invoice) uses Provider(tenant)",
    "without listing it",
    "dependencies=[..., tenant]",
)
def missing_dependency_of_a_scoped_one() -> BaseException:
    invoice = Provider(lambda ref: ref.watch(tenant), name="invoice", dependencies=[])
    return raised(lambda: container_of().read(invoice))


@shows(
    OutsideScopeError,
    "Provider(cart) has the scope 'request'",
    "not inside a container of this scope",
    "container.child(scope='request')",
)
def outside_scope() -> BaseException:
    cart = Provider(lambda ref: 1, name="cart", scope="request")
    return raised(lambda: ProviderContainer().read(cart))


@shows(
    OverrideMismatchError,
    "given overrides of [Provider(tenant)]",
    "created with overrides of [StateProvider(total)]",
    "pass the same providers",
)
def override_mismatch() -> BaseException:
    container = ProviderContainer(overrides=[total.override_with_value(1)])
    return raised(lambda: container.update_overrides([tenant.override_with_value("x")]))


@shows(DuplicateOverrideError, "StateProvider(total)", "twice in one container", "remove one")
def overridden_twice() -> BaseException:
    return raised(lambda: ProviderContainer(overrides=[total.override_with_value(1), total.override_with_value(2)]))


@shows(
    NotCallableError,
    "StateProvider(total) cannot be overridden with 1",
    "int cannot be called",
    "use the provider's override_with_value",
)
def overridden_with_a_value() -> BaseException:
    return raised(lambda: total.override_with(1))  # type: ignore[arg-type]  # as who forgets _value


@shows(
    NotCallableError, "(report) cannot be overridden with 1", "int cannot be called", "give a function that returns it"
)
def overridden_family_with_a_value() -> BaseException:
    @Provider.family
    def report(ref: Ref, columns: int) -> str:
        return ""

    return raised(lambda: report.override_with(1))  # type: ignore[arg-type]  # the same


@shows(ProviderReturnTypeError, "Provider(fetched) returned", "this kind of provider", "FutureProvider")
def async_in_sync() -> BaseException:
    async def fetch(ref: Ref) -> str:
        return ""

    return raised(lambda: container_of().read(Provider(fetch, name="fetched")))


@shows(ProviderReturnTypeError, "StreamProvider(numbers) returned [1]", "returns an Rx", "with `yield`")
def no_stream() -> BaseException:
    numbers = StreamProvider[int](lambda ref: [1], name="numbers")  # type: ignore[arg-type, return-value]
    return error_in_state_of(numbers)


@shows(ProviderReturnTypeError, "returned <coroutine", "returns an Rx", "use FutureProvider")
def coroutine_as_stream() -> BaseException:
    async def fetch(ref: Ref) -> int:
        return 1

    numbers = StreamProvider[int](fetch, name="numbers")  # type: ignore[arg-type]
    return error_in_state_of(numbers)


@shows(NoEventLoopError, "FutureProvider(user) needs", "none in this thread", "asyncio.run")
def no_loop_for_a_future() -> BaseException:
    @FutureProvider
    async def user(ref: Ref) -> str:
        return ""

    return error_in_state_of(user)


@shows(NoEventLoopError, "StreamProvider(ticks) needs", "none in this thread", "asyncio.run")
def no_loop_for_a_generator() -> BaseException:
    @StreamProvider
    async def ticks(ref: Ref) -> AsyncIterator[int]:
        yield 1

    return error_in_state_of(ticks)


@shows(NoEventLoopError, "Provider(connection) needs", "none in this thread", "aclose()")
def no_loop_for_a_disposer() -> BaseException:
    async def clean() -> None:
        pass

    @Provider
    def connection(ref: Ref) -> int:
        ref.on_dispose(clean)
        return 1

    container = container_of()
    container.read(connection)
    return raised(container.dispose)


@shows(
    AsyncValueIsLoadingError, "require_value was read while", "still AsyncLoading()", "`await` the provider's `.future`"
)
def still_loading() -> BaseException:
    async def read() -> BaseException:
        async with ProviderContainer() as container:
            return raised(lambda: container.read(loading_user).require_value)

    return asyncio.run(read())


@shows(ProviderDisposedError, "FutureProvider(user) was disposed", "still loading", "keep_alive")
def disposed_while_loading() -> BaseException:
    async def read() -> None:
        async with ProviderContainer() as container:
            future = container.read(loading_user.future)
        await future

    return raised(lambda: asyncio.run(read()))


@shows(BuildCancelledError, "build of FutureProvider(user)", "was cancelled", "Invalidate")
def cancelled_from_within() -> BaseException:
    @FutureProvider
    async def user(ref: Ref) -> str:
        raise asyncio.CancelledError

    return raised(lambda: asyncio.run(read_future(user)))


@shows(EndlessUpdateError, "1000 rounds", "a listener writes", "Stop writing in the listener")
def endless() -> BaseException:
    container = container_of()
    following = Provider(lambda ref: ref.watch(total), name="following")
    container.listen(following, lambda previous, value: container.read(total.notifier).update(lambda n: n + 1))
    return raised(lambda: setattr(container.read(total.notifier), "state", 1))


@shows(NoTestError, "ProviderContainer.test() was called", "never be disposed", "with ProviderContainer()")
def no_test() -> BaseException:
    scope, ProviderContainer.test_scope = ProviderContainer.test_scope, None
    try:
        return raised(ProviderContainer.test)
    finally:
        ProviderContainer.test_scope = scope


@shows(SubscriptionClosedError, "StateProvider(total)", "was closed", "isten")
def closed_subscription() -> BaseException:
    subscription = ProviderContainer().listen(total, ignore)
    subscription.close()
    return raised(subscription.read)


@shows(MutationEndedError, "StateProvider(total)", "whose run has ended", "before the function")
def ended_mutation() -> BaseException:
    total = StateProvider(lambda ref: 1, name="total")
    ended: list[MutationTransaction] = []

    async def act(transaction: MutationTransaction) -> None:
        ended.append(transaction)

    async def run() -> BaseException:
        async with container_of() as container:
            await Mutation[None]("save").run(container, act)
            return raised(lambda: ended[0].get(total))

    return asyncio.run(run())


@shows(
    ReadDuringDisposalError,
    "A disposer of Provider(report) tried to read Provider(report)",
    "Its build is ending",
    "Keep what the disposer needs",
)
def read_in_its_own_disposer() -> BaseException:
    reported: list[BaseException] = []

    @Provider
    def report(ref: Ref) -> None:
        ref.on_dispose(lambda: container.read(report))

    with ProviderContainer(on_error=lambda error, provider: reported.append(error)) as container:
        container.read(report)
        container.invalidate(report)
    return reported[0]


@shows(
    ContainerClosingError,
    "StateProvider(total) was read while",
    "could open a resource that is never closed",
    "Read it in the build",
)
def built_while_closing() -> BaseException:
    reported: list[BaseException] = []
    container = ProviderContainer(on_error=lambda error, provider: reported.append(error))
    container.read(Provider(lambda ref: ref.on_dispose(lambda: container.read(total))))
    container.dispose()
    return reported[0]


@shows(StreamEndedError, "StreamProvider(numbers) ended", "has no result", "first value")
def empty_stream() -> BaseException:
    numbers = StreamProvider[int](lambda ref: reactivex.empty(), name="numbers")
    return raised(lambda: asyncio.run(read_future(numbers)))


@shows(ProviderError, "AsyncValueIsLoadingError", "still AsyncLoading()", "`await` the provider's `.future`")
def built_while_loading() -> BaseException:
    """The advice is not cut off."""

    async def read() -> BaseException:
        async with ProviderContainer() as container:
            name = Provider(lambda ref: ref.watch(loading_user).require_value, name="name")
            with pytest.raises(ProviderError) as caught:
                container.read(name)
            return caught.value

    return asyncio.run(read())


@shows(ProviderError, "Provider(broken) is in error", "its function raised ValueError: no such user", "__cause__")
def failed_provider() -> BaseException:
    @Provider
    def broken(ref: Ref) -> int:
        raise ValueError("no such user")

    with pytest.raises(ProviderError) as caught:
        container_of().read(broken)
    return caught.value


@shows(BatchOverAwaitError, "while a batch() of", "would wait forever", "Await first")
def batch_over_await() -> BaseException:
    async def block() -> BaseException:
        async with ProviderContainer() as container:
            with pytest.raises(BatchOverAwaitError) as caught, container.batch():
                await asyncio.sleep(0)
            return caught.value

    return asyncio.run(block())


async def save(previous: int | None, value: int) -> None:
    pass


@shows(AsyncCallbackError, "save", "not awaited", "ref.create_task")
def async_listener() -> BaseException:
    return raised(lambda: container_of().listen(total, save))


@shows(AsyncCallbackError, "lambda", "not awaited", "container.stream(provider)")
def coroutine_of_a_listener() -> BaseException:
    errors: list[BaseException] = []
    with ProviderContainer(on_error=lambda error, provider: errors.append(error)) as container:
        container.listen(total, lambda previous, value: save(previous, value))
        container.read(total.notifier).state = 1
    (error,) = errors
    return error


@Provider.family
def item(ref: Ref, number: int) -> int:
    return number


@shows(NotAProviderError, "Family(item) cannot be read", "It is a family", "`item(...)`")
def read_family() -> BaseException:
    return raised(lambda: container_of().read(item))  # type: ignore[arg-type]  # the slip


@shows(NotAProviderError, "Family(item) cannot be read, watched", "It is a family", "`item(...)`")
def watched_family() -> BaseException:
    uses: Provider[Any] = Provider(lambda ref: ref.watch(item))  # type: ignore[arg-type]  # the slip
    return raised(lambda: container_of().read(uses))


@shows(NotAProviderError, "cannot be read, watched or listened to", "not a provider", "`@Provider`")
def listened_function() -> BaseException:
    return raised(lambda: container_of().listen(ignore, ignore))  # type: ignore[arg-type]  # the slip


@shows(NotAProviderError, "cannot be invalidated", "derived from a provider", "Give that provider, State")
def invalidated_notifier() -> BaseException:
    return raised(lambda: container_of().invalidate(total.notifier))  # type: ignore[arg-type]  # the slip


@shows(NotAProviderError, "'total' cannot be invalidated", "by name", "Give the provider itself")
def invalidated_name() -> BaseException:
    return raised(lambda: container_of().invalidate("total"))  # type: ignore[arg-type]  # the slip


@shows(NotBuiltError, "StateProvider(total) has", "not been built in", "Read it first")
def explained_unread() -> BaseException:
    return raised(lambda: container_of().explain(total))


@shows(
    FamilyArgumentsError, "Family(item)", "missing a required argument: 'number'", "Give the arguments of its function"
)
def family_without_its_argument() -> BaseException:
    return raised(lambda: item())  # type: ignore[call-arg]


@shows(ReactiveArgumentError, "fire_immediately is True", "does not build", "leave out one of both")
def weak_listener_called_at_once() -> BaseException:
    return raised(lambda: container_of().listen(total, print, weak=True, fire_immediately=True))


@shows(DeclarationError, "Cart", "must", "define build()")
def notifier_without_build() -> BaseException:
    class Cart(Notifier[int]):
        pass

    return raised(lambda: Cart().build())


@shows(DeclarationError, "Provider()", "function is missing", "@Provider.options(")
def called_without_function() -> BaseException:
    return raised(lambda: Provider(auto_dispose=True))  # type: ignore[call-arg]  # the slip


@shows(DeclarationError, "42 cannot be called", "Provider", "Give a function")
def declared_with_a_value() -> BaseException:
    return raised(lambda: Provider(42))  # type: ignore[arg-type]  # the slip


@shows(DeclarationError, "StateProvider", "takes no arguments", "lambda ref: ...")
def declared_without_ref() -> BaseException:
    return raised(lambda: StateProvider(lambda: 1))  # type: ignore[arg-type, misc]  # the slip


@shows(DeclarationError, "price", "takes 2 arguments", "@Provider.family")
def declared_with_arguments() -> BaseException:
    def price(ref: Ref, item: str) -> int:
        return len(item)

    return raised(lambda: Provider.auto_dispose(price))  # type: ignore[arg-type]  # the slip


@shows(DeclarationError, "db", "has a `yield`", "ref.on_dispose(close)")
def yielding() -> BaseException:
    def db(ref: Ref) -> Iterator[int]:
        yield 1

    return raised(lambda: Provider(db))


@shows(DeclarationError, "db", "is an async generator", "StreamProvider")
def yielding_async() -> BaseException:
    async def db(ref: Ref) -> AsyncIterator[int]:
        yield 1

    return raised(lambda: FutureProvider(db))


@shows(NotAnOverrideError, "{StateProvider(total): 2}", "takes a list", "override_with_value(value)]")
def overrides_as_dict() -> BaseException:
    return raised(lambda: ProviderContainer(overrides={total: 2}))


@shows(NotAnOverrideError, "Override(origin=StateProvider(total))", "takes a list", "[provider.")
def override_without_list() -> BaseException:
    return raised(lambda: ProviderContainer(overrides=total.override_with_value(1)))  # type: ignore[arg-type]  # slip


@shows(ReactiveArgumentError, "StateProvider(total)", "providers", "must be a list of providers")
def history_without_list() -> BaseException:
    with container_of() as container:
        return raised(lambda: History(container, total))  # type: ignore[arg-type]  # as for one provider


@shows(NotUndoableError, "FutureProvider(user)", "no state that a History can set", "give those")
def history_of_a_future() -> BaseException:
    with container_of() as container:
        return raised(lambda: History(container, [FutureProvider(lambda ref: 1, name="user")]))  # type: ignore[list-item]


@shows(HistoryClosedError, "History was closed", "steps are gone", "Create another one")
def closed_history() -> BaseException:
    with container_of() as container:
        history = History(container, [total])
        history.close()
        return raised(history.undo)


def reported_by(*providers: Any) -> BaseException:
    reported: list[BaseException] = []

    async def main() -> None:
        async with ProviderContainer(on_error=lambda error, provider: reported.append(error)) as container:
            for provider in providers:
                await container.read(provider.notifier).restored()

    asyncio.run(main())
    return reported[0]


@shows(
    DuplicatePersistKeyError,
    "StateProvider(theme) and StateProvider(theme) both persist",
    "would read the data of the other",
    "a different key",
)
def key_persisted_twice() -> BaseException:
    storage: InMemoryStorage[str, str] = InMemoryStorage()
    return reported_by(
        StateProvider.persisted("theme", "light", storage=storage), StateProvider.persisted("theme", 1, storage=storage)
    )


@shows(NewerDataError, "'theme' has version 2", "stored by a newer app", "start the newer app")
def newer_data() -> BaseException:
    storage: InMemoryStorage[str, str] = InMemoryStorage()
    asyncio.run(storage.write("theme", '"dark"', StorageOptions(version=2)))
    return reported_by(StateProvider.persisted("theme", "light", storage=storage, version=1))


@shows(NotAnExceptionError, "failed with 'no network'", "str is not an Exception", "Have the source")
def failed_with_a_text() -> BaseException:
    source: Subject[int] = Subject()
    with container_of() as container:
        numbers = StreamProvider(lambda ref: source, name="numbers")
        container.listen(numbers, ignore)
        source.on_error("no network")  # type: ignore[arg-type]  # what sources do
        state = container.read(numbers)
    assert isinstance(state, AsyncError)
    return state.error


@shows(UnnamedProviderError, "Provider(local) cannot", "not a global name", "top level")
def pickled_local_provider() -> BaseException:
    return raised(lambda: pickle.dumps(Provider(lambda ref: 1, name="local")))


@shows(
    ProviderDisposedError,
    "was read after it was disposed",
    "with its container",
    "In on_dispose, use a variable that the build has set",
)
def read_when_gone() -> BaseException:
    with ProviderContainer() as container:
        container.read(total)
        element = container.find(total)
    return raised(lambda: read_element(element))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.make.__name__)
def test_the_message_states_cause_and_remedy(case: Case) -> None:
    error = case.make()
    assert type(error) is case.kind
    text = str(error)
    assert case.what in text
    assert case.why in text
    assert case.remedy in text
    assert text.endswith("."), "a message must consist of sentences"
    assert "\n" not in text


def test_every_error_of_the_package_is_covered() -> None:
    kinds = {
        kind
        for kind in vars(errors).values()
        if inspect.isclass(kind) and issubclass(kind, TetherError) and not kind.__subclasses__()
    }
    # An app cannot cause a GraphInvariantError.
    assert kinds - {case.kind for case in CASES} == {GraphInvariantError}


def test_a_failed_build_shows_only_its_own_error() -> None:
    error = failed_provider()
    assert error.__context__ is None
    assert error.__cause__ is not None
    assert error.__cause__.__context__ is None


def test_an_unhashable_argument_is_also_a_type_error() -> None:
    error = unhashable()
    assert isinstance(error, TypeError)
    assert isinstance(error, UnhashableArgumentError)
    assert error.argument == "columns"


def test_the_error_has_its_data_as_attributes() -> None:
    loop = circular()
    assert isinstance(loop, CircularDependencyError)
    assert [provider.name for provider in loop.cycle] == ["a", "b", "a"]  # type: ignore[attr-defined]
    mismatch = override_mismatch()
    assert isinstance(mismatch, OverrideMismatchError)
    assert (mismatch.expected, mismatch.given) == ((total,), (tenant,))
    missing = missing_dependency()
    assert isinstance(missing, MissingDependencyError)
    assert missing.dependency is tenant


def test_wrong_arguments_of_a_family_are_an_error_with_its_name() -> None:
    @Provider.family
    def report(ref: Ref, columns: int) -> str:
        return ""

    with pytest.raises(TypeError, match=r"Family\(report\): missing a required argument: 'columns'"):
        report()  # type: ignore[call-arg]
