"""Errors of the reactive core: each says what happened, why, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from pickle import PicklingError
from typing import Final

from tetherpy.errors import TetherError, first_line, safe_repr


class ReactiveError(TetherError):
    """Base of the errors of providers and containers."""


class ProviderError(ReactiveError):
    """Raised by reading a provider whose build failed; the original error is ``__cause__``.

    Attributes:
        provider: the provider that failed.
        root: what failed first: the cause, or where that is a ProviderError too, the cause of that one.
    """

    def __init__(self, provider: object, cause: BaseException | None = None) -> None:
        root: BaseException | None = cause.root if isinstance(cause, ProviderError) else cause
        raised = "" if root is None else f" {first_line(root)}"
        through = "" if root is cause else " ProviderError, because of"
        super().__init__(
            f"{provider!r} is in error: its function raised{through}{raised}. See the cause above for where. "
            "Catch ProviderError and look at its __cause__, or fix the cause and invalidate the provider."
        )
        self.provider = provider
        self.root: BaseException | None = root
        self.__cause__ = cause


class AsyncValueIsLoadingError(ReactiveError):
    """Raised by ``require_value`` on an AsyncValue that has neither data nor error yet."""

    def __init__(self, value: object) -> None:
        super().__init__(
            f"require_value was read while the value is still {value!r}. "
            "Inside the build of another provider this only means 'still loading'; elsewhere match on "
            "the AsyncValue, or `await` the provider's `.future`."
        )
        self.value = value


MOST_NAMED: Final = 8
"""How many providers of a loop are named from its beginning, and as many from its end."""


class CircularDependencyError(ReactiveError):
    """Raised when a provider is read while it is being built.

    Attributes:
        cycle: the providers of the loop in order, the first one again at the end.
    """

    def __init__(self, cycle: Sequence[object]) -> None:
        names = list(map(repr, cycle))
        if len(names) > 2 * MOST_NAMED:
            names[MOST_NAMED:-MOST_NAMED] = [f"... {len(names) - 2 * MOST_NAMED:,} more ..."]
        loop = " -> ".join(names)
        super().__init__(
            f"Circular dependency: {loop}. A provider cannot need its own value to build itself; "
            "move what both need into a third provider, or use ref.read inside a callback."
        )
        self.cycle = tuple(cycle)


class ChangeDuringBuildError(ReactiveError):
    """Raised when a provider's build changes another provider.

    Attributes:
        provider: the provider that was to be changed.
        building: the provider that was being built.
    """

    def __init__(self, provider: object, building: object) -> None:
        super().__init__(
            f"{building!r} tried to change {provider!r} while it was being built. Whoever has already read "
            "that provider in this turn would have seen two different values. Derive the value with "
            "ref.watch instead, or make the change in a callback after the build."
        )
        self.provider = provider
        self.building = building


class ContainerDisposedError(ReactiveError):
    """Raised when a disposed ProviderContainer is used.

    Attributes:
        container: the disposed container.
    """

    def __init__(self, container: object) -> None:
        super().__init__(
            f"{container!r} was disposed and can no longer be used: its providers are gone. "
            "Keep the container open for as long as you need it (leave the `with` block later), "
            "or create a new one."
        )
        self.container = container


class ReadDuringDisposalError(ReactiveError):
    """Raised when a disposer reads the provider that is just ending, or one that needs it.

    Attributes:
        provider: the provider that was read.
        ending: the provider whose build ends.
    """

    def __init__(self, provider: object, ending: object) -> None:
        needed = "" if provider is ending else f", which needs {ending!r}"
        super().__init__(
            f"A disposer of {ending!r} tried to read {provider!r}{needed}. Its build is ending, so it has no value "
            "to give. Keep what the disposer needs in a variable of the build."
        )
        self.provider = provider
        self.ending = ending


class ContainerClosingError(ReactiveError):
    """Raised when a disposer reads a provider that was never built in a container that is being disposed.

    Attributes:
        provider: the provider that was read.
        container: the container.
    """

    def __init__(self, provider: object, container: object) -> None:
        super().__init__(
            f"{provider!r} was read while {container!r} is being disposed, and it has not been built. Building it now "
            "could open a resource that nothing closes. Read it in the build, and keep it for the disposer."
        )
        self.provider = provider
        self.container = container


class StreamEndedError(ReactiveError):
    """Raised by the future of a stream provider whose stream ended without a value.

    Attributes:
        provider: the provider.
    """

    def __init__(self, provider: object) -> None:
        super().__init__(
            f"The stream of {provider!r} ended before it delivered a value, so its future has none to give. "
            "Have the stream deliver a first value, or match on the provider's state, which stays AsyncLoading."
        )
        self.provider = provider


class ProviderDisposedError(ReactiveError):
    """Raised by a pending ``.future`` whose provider was disposed, and by reading a value that was disposed.

    Attributes:
        provider: the provider that was disposed.
        awaited: whether its future was awaited; else its value was read, as a disposer of another provider may.
    """

    def __init__(self, provider: object, *, awaited: bool = False) -> None:
        super().__init__(
            f"{provider!r} was disposed while still loading, so its future will never have a value. "
            "Keep a listener or ref.keep_alive() on it for as long as you wait, or keep its container open."
            if awaited
            else f"{provider!r} was read after it was disposed, so it has no value. A provider is disposed with its "
            "container, or when it is auto-dispose and no longer used. In on_dispose, read what you need in the "
            "build and keep it; elsewhere keep a listener or ref.keep_alive() on the provider."
        )
        self.provider = provider
        self.awaited = awaited


class SubscriptionClosedError(ReactiveError):
    """Raised by reading a subscription that was closed.

    Attributes:
        provider: what was listened to.
    """

    def __init__(self, provider: object) -> None:
        super().__init__(
            f"This subscription to {provider!r} was closed, by close() or because the container or the build it "
            "belonged to has ended, so it no longer keeps a value alive. Read with container.read or ref.read, "
            "or listen again."
        )
        self.provider = provider


class MutationEndedError(ReactiveError):
    """Raised when the transaction of a mutation is used after the run has ended.

    Attributes:
        provider: the provider that was to be read.
    """

    def __init__(self, provider: object) -> None:
        super().__init__(
            f"{provider!r} was to be read with the transaction of a mutation whose run has ended. Nothing would keep "
            "the provider alive. Read it before the function of the mutation returns, or with container.read."
        )
        self.provider = provider


class UnmountedRefError(ReactiveError):
    """Raised when a Ref is used after its build was replaced or its provider disposed.

    Attributes:
        provider: the provider whose Ref was used.
    """

    def __init__(self, provider: object) -> None:
        super().__init__(
            f"The Ref of {provider!r} was used after that build was replaced or disposed. Either an earlier "
            "build went on working after a rebuild: check ref.mounted after each await, or stop the work in "
            "ref.on_dispose. Or the ref was used inside on_dispose itself, where it is too late: read what "
            "you need before."
        )
        self.provider = provider


class NotifierNotReadyError(ReactiveError):
    """Raised when a notifier's ``ref`` or ``state`` is used before its provider was built.

    Attributes:
        notifier_type: the class of the notifier.
    """

    def __init__(self, notifier_type: type) -> None:
        super().__init__(
            f"{notifier_type.__name__} was used before its provider had built it: in its constructor, on an "
            "instance you made yourself, or before build() gave a first state. Do this work in build(), and "
            "get the instance with container.read(provider.notifier)."
        )
        self.notifier_type = notifier_type


class WrongThreadError(ReactiveError):
    """Raised when a container is touched from another thread than its own.

    Attributes:
        container: the container that was touched.
    """

    def __init__(self, container: object) -> None:
        super().__init__(
            f"{container!r} belongs to the thread that created it and was touched from another. "
            "Hand the work over with container.call_soon_threadsafe(fn)."
        )
        self.container = container


class NoEventLoopError(ReactiveError):
    """Raised when something asynchronous is needed and no event loop runs in this thread.

    Attributes:
        subject: what needed the loop.
    """

    def __init__(self, subject: object, remedy: str) -> None:
        super().__init__(f"{subject!r} needs a running event loop and there is none in this thread. {remedy}")
        self.subject = subject


class ProviderReturnTypeError(ReactiveError, TypeError):
    """Raised when a provider's function returns the wrong kind of thing.

    Attributes:
        provider: the provider.
        returned: what its function returned.
    """

    def __init__(self, provider: object, returned: object, remedy: str) -> None:
        super().__init__(f"The function of {provider!r} returned {returned!r}. {remedy}")
        self.provider = provider
        self.returned = returned


class BuildCancelledError(ReactiveError):
    """The error of an async provider whose build ended itself by cancellation.

    Attributes:
        provider: the provider.
    """

    def __init__(self, provider: object) -> None:
        super().__init__(
            f"The build of {provider!r} ended with CancelledError although nobody had disposed or rebuilt "
            "it: something it awaited was cancelled. Invalidate the provider to build it again."
        )
        self.provider = provider


class NotAnExceptionError(ReactiveError):
    """Stands for what an Rx source gave to ``on_error`` where that was no exception.

    Attributes:
        provider: the provider that is fed by the source.
        given: what the source gave.
    """

    def __init__(self, provider: object, given: object) -> None:
        super().__init__(
            f"The stream of {provider!r} failed with {given!r}, and {type(given).__name__} is no kind of Exception. "
            "Have the source call on_error with an Exception."
        )
        self.provider = provider
        self.given = given
        self.__cause__ = given if isinstance(given, BaseException) else None


class DeclarationError(ReactiveError, TypeError):
    """Raised when a provider is declared or overridden with something that cannot be its function.

    Attributes:
        given: what stands in the place of the function, or None where nothing does.
    """

    def __init__(self, subject: object, given: object, problem: str) -> None:
        super().__init__(f"{subject}: {problem}")
        self.given = given


class NotAProviderError(ReactiveError, TypeError):
    """Raised when something else stands where a provider is needed.

    Attributes:
        given: what stands there.
    """

    def __init__(self, given: object, use: str, remedy: str) -> None:
        super().__init__(f"{safe_repr(given)} cannot be {use}. {remedy}")
        self.given = given


class AsyncCallbackError(ReactiveError, TypeError):
    """Raised when a callback that is called synchronously is ``async``, or returns a coroutine.

    Attributes:
        callback: the callback.
    """

    def __init__(self, callback: object) -> None:
        super().__init__(
            f"{callback!r} is async, and callbacks are called, not awaited: nothing of it would run. Give a plain "
            "function that starts a task (`ref.create_task(save(value))`, `asyncio.create_task(save(value))`), or "
            "iterate with `async for value in container.stream(provider)`."
        )
        self.callback = callback


class BatchOverAwaitError(ReactiveError):
    """Raised at the end of a ``batch()`` block that awaited: no listener could be called meanwhile.

    Attributes:
        container: the container of the batch.
    """

    def __init__(self, container: object) -> None:
        super().__init__(
            f"The event loop went on while a batch() of {container!r} was open: nothing in the whole container is "
            "refreshed inside a batch, so what waits for a change there waits for ever. The batch was ended at "
            "the await. Await first, then make the changes in a batch() without an await."
        )
        self.container = container


class ScopeError(ReactiveError):
    """Base of the errors about overriding providers in child containers."""


class NotScopedError(ScopeError):
    """Raised when a child container overrides a provider that names no ``dependencies``.

    Attributes:
        provider: the provider or family of the override.
    """

    def __init__(self, provider: object) -> None:
        super().__init__(
            f"{provider!r} was overridden in a child container but is not scoped: what already depends on it "
            "in the parent would not see the override. Declare it with dependencies=[] (or the list of "
            "scoped providers it uses), or override it in the root container."
        )
        self.provider = provider


class MissingDependencyError(ScopeError):
    """Raised when a provider uses a scoped provider that its ``dependencies`` do not list.

    Attributes:
        provider: the provider that was being built.
        dependency: the scoped provider it used.
    """

    def __init__(self, provider: object, dependency: object) -> None:
        super().__init__(
            f"{provider!r} uses {dependency!r}, which is scoped (it names `dependencies`), without listing "
            f"it: in a child container it would not follow an override. Declare {provider!r} with "
            f"dependencies=[..., {getattr(dependency, 'name', dependency)}]."
        )
        self.provider = provider
        self.dependency = dependency


class OverrideMismatchError(ScopeError):
    """Raised when ``update_overrides`` is given other overrides than the container has.

    Attributes:
        expected: the origins of the overrides that the container has.
        given: the origins that were given.
    """

    def __init__(self, expected: Sequence[object], given: Sequence[object]) -> None:
        super().__init__(
            f"update_overrides was given overrides of {list(given)!r}, but the container was created with "
            f"overrides of {list(expected)!r}. It can change what a provider is overridden with, not which "
            "providers are overridden: pass the same providers in the same order, or create a new container."
        )
        self.expected = tuple(expected)
        self.given = tuple(given)


class NotCallableError(ReactiveError, TypeError):
    """Raised by ``override_with`` when it is not given a function.

    Attributes:
        provider: the provider or family that was to be overridden.
    """

    def __init__(self, provider: object, given: object) -> None:
        super().__init__(
            f"{provider!r} cannot be overridden with {given!r}: override_with takes a function like the one it "
            f"replaces, and {type(given).__name__} cannot be called. For a fixed value give a function that returns "
            "it, or use the provider's override_with_value."
        )
        self.provider = provider


class NotAnOverrideError(ScopeError, TypeError):
    """Raised when ``overrides`` is no list of overrides, or holds something else.

    Attributes:
        given: what cannot be used.
    """

    def __init__(self, given: object) -> None:
        super().__init__(
            f"overrides takes a list of overrides, and was given {safe_repr(given)}. Write "
            "overrides=[provider.override_with_value(value)] or [provider.override_with(function)]; a provider or "
            "family by itself in the list gives the container its own state of it."
        )
        self.given = given


class DuplicateOverrideError(ScopeError):
    """Raised when one container overrides the same provider twice.

    Attributes:
        provider: the provider or family that was overridden twice.
    """

    def __init__(self, provider: object) -> None:
        super().__init__(f"{provider!r} is overridden twice in one container; remove one of the two overrides.")
        self.provider = provider


class UnnamedProviderError(ReactiveError, PicklingError):
    """Raised by pickling a provider that no module has under a name, so that it could not be found again.

    Attributes:
        provider: the provider.
    """

    def __init__(self, provider: object) -> None:
        super().__init__(
            f"{provider!r} cannot be pickled: a pickle holds where a provider is declared, and no module has this one "
            "as a global name. Declare it at the top level of a module, or send what identifies it instead."
        )
        self.provider = provider


class UnhashableArgumentError(ReactiveError, TypeError):
    """Raised when a family is given an argument that cannot be hashed.

    Attributes:
        family: the family.
        argument: the name of the argument.
    """

    def __init__(self, family: object, argument: str, value: object) -> None:
        super().__init__(
            f"{family!r} was given {argument}={safe_repr(value)}, and {type(value).__name__} is not hashable: the "
            "family could not find the same provider again. Pass a tuple, a frozenset or a frozen dataclass instead."
        )
        self.family = family
        self.argument = argument


class NoTestError(ReactiveError):
    """Raised by ``ProviderContainer.test`` where no test would dispose the container.

    Attributes:
        container_type: the class that was asked.
    """

    def __init__(self, container_type: type) -> None:
        super().__init__(
            f"{container_type.__name__}.test() was called while no test of pytest is running, so nobody would "
            "dispose the container. Call it inside a test or a function-scoped fixture, with tetherpy installed "
            "(its pytest plugin registers itself); elsewhere use `with ProviderContainer() as container:`."
        )
        self.container_type = container_type


class EndlessUpdateError(ReactiveError):
    """Raised when listeners keep changing what they listen to and the graph never settles.

    Attributes:
        provider: a provider that was still waiting to be rebuilt.
        rounds: how many rounds of refreshing were made.
    """

    def __init__(self, provider: object, rounds: int) -> None:
        super().__init__(
            f"After {rounds} rounds of refreshing, {provider!r} still changes: a listener writes to what it "
            "listens to, directly or around a corner. Make the listener stop when nothing is left to do, or "
            "derive the value with a provider."
        )
        self.provider = provider
        self.rounds = rounds
