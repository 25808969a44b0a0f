"""Mutations: actions with a state that the rest of the app can watch.

Behaviour follows Riverpod's ``Mutation``: the state is idle until the mutation runs, pending while it
runs, then success or error; it becomes idle again after a turn without watchers, or after ``reset``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from threading import Lock
from typing import Any, ClassVar, Final, Generic, TypeAlias, TypeVar
from weakref import WeakValueDictionary

import attrs

from tetherpy.errors import safe_repr

from .container.observer import ProviderObserverContext, current_mutation
from .container.provider_container import ProviderContainer
from .container.ref import Ref
from .errors import MutationEndedError, UnhashableArgumentError
from .graph.element import Element
from .graph.listenable import ProviderListenable
from .graph.subscription import ProviderSubscription
from .graph.updates.set_value import set_value
from .lifecycle.context_variables import bound
from .providers.family_arguments import key_of
from .providers.provider import ProviderBase

T = TypeVar("T")
R = TypeVar("R")


@attrs.frozen
class MutationIdle:
    """Not running: never run, reset, or disposed without watchers."""


@attrs.frozen(eq=False)
class MutationPending:
    """Running; each run has a separate instance."""


@attrs.frozen
class MutationSuccess(Generic[T]):
    """Succeeded, with the returned value."""

    value: T


@attrs.frozen
class MutationError:
    """Failed, with the error."""

    error: Exception


MutationState: TypeAlias = MutationIdle | MutationPending | MutationSuccess[T] | MutationError
"""The states of a mutation: type checkers verify that a ``match`` over it is exhaustive."""

IDLE: Final = MutationIdle()


class MutationTransaction:
    """Reads providers for the function of a mutation, and keeps them alive until the run ends."""

    __slots__ = ("_container", "_subscriptions")

    def __init__(self, container: ProviderContainer) -> None:
        self._container = container
        self._subscriptions: dict[ProviderListenable[Any], ProviderSubscription[Any]] | None = {}

    def get(self, listenable: ProviderListenable[R]) -> R:
        """Return the current value and keep its provider alive until the mutation ends.

        Raises:
            MutationEndedError: the mutation has ended.
        """
        if self._subscriptions is None:
            raise MutationEndedError(listenable)
        subscription = self._subscriptions.get(listenable)
        if subscription is None:
            subscription = self._subscriptions[listenable] = self._container.listen(listenable, _ignore)
        value: R = subscription.read()
        return value

    def close(self) -> None:
        """End the run: the providers are no longer kept alive."""
        subscriptions, self._subscriptions = self._subscriptions, None
        for subscription in reversed((subscriptions or {}).values()):
            subscription.close()


class Mutation(ProviderBase[MutationState[T]], Generic[T]):
    """An action with a state to watch, such as ``add_todo = Mutation[Todo]("add todo")``.

    Args:
        label: shown in messages and to observers.
    """

    __slots__ = ("_key", "_keyed", "_label", "_lock")

    build_type = Ref
    synthetic: ClassVar[bool] = True  # observers have separate events for mutations

    def __init__(self, label: str | None = None) -> None:
        super().__init__(_idle, auto_dispose=True)
        self._label = label
        self._key: object = None
        self._keyed: WeakValueDictionary[object, Mutation[T]] = WeakValueDictionary()
        self._lock = Lock()

    @property
    def label(self) -> str | None:
        """The label given."""
        return self._label

    @property
    def key(self) -> object:
        """The key of this mutation, or None."""
        return self._key

    @property
    def name(self) -> str:
        """The label, with the key if there is one."""
        label = self._label or "mutation"
        return label if self._key is None else f"{label}({safe_repr(self._key)})"

    def __call__(self, key: Hashable) -> Mutation[T]:
        """Return the mutation for a key, with a separate state; for example one for each row of a list.

        A tree of containers has one state per mutation. A server with a container for each session uses the
        session id as the key.

        Raises:
            UnhashableArgumentError: the key is not hashable.
        """
        arguments = key_of((key,))
        with self._lock:
            try:
                keyed = self._keyed.get(arguments)
            except TypeError as error:
                raise UnhashableArgumentError(self, "key", key) from error
            if keyed is None:
                keyed = self._keyed[arguments] = Mutation[T](self._label)
                keyed._key = key
        return keyed

    def attach_with(self, element: Element, create: Callable[..., Any]) -> None:
        """Prepare an element."""
        element.create = create

    async def run(self, target: ProviderContainer | Ref, fn: Callable[[MutationTransaction], Awaitable[T]]) -> T:
        """Run ``fn``, return its result, and set the state accordingly.

        If a later run starts first, this run still returns its result but no longer sets the state.

        Args:
            target: the container that has the state, or a Ref in it.
            fn: called with a transaction to read providers with.

        Raises:
            Exception: the exception that ``fn`` raises, which is also stored in the state.
        """
        container = target if isinstance(target, ProviderContainer) else target.container
        transaction = MutationTransaction(container)
        transaction.get(self)
        run = _Run(container.find(self), transaction)
        with bound(current_mutation, self):
            try:
                run.begin()
                self._tell(container, "mutation_start")
                result = await fn(transaction)
            except Exception as error:
                run.end(MutationError(error))
                self._tell(container, "mutation_error", error)
                raise
            except GeneratorExit:
                # The garbage collector may close the coroutine, in any thread and in the middle of a build.
                container.call_soon_threadsafe(partial(run.end, IDLE))
                raise
            except BaseException:
                run.end(IDLE)
                raise
            else:
                run.end(MutationSuccess(result))
                self._tell(container, "mutation_success", result)
                return result

    def reset(self, target: ProviderContainer | Ref) -> None:
        """Make the state idle; a current run continues but no longer sets the state."""
        container = target if isinstance(target, ProviderContainer) else target.container
        container.read(self)
        set_value(container.find(self), IDLE)
        self._tell(container, "mutation_reset")

    def _tell(self, container: ProviderContainer, event: str, *arguments: object) -> None:
        container.tell(event, ProviderObserverContext(container, None, self), self, *arguments)

    def __repr__(self) -> str:
        return f"Mutation({self.name})"


@attrs.frozen(eq=False)
class _Run:
    """One run of a mutation; it keeps the mutation and the providers of its transaction alive."""

    element: Element
    transaction: MutationTransaction
    pending: MutationPending = attrs.field(init=False, factory=MutationPending)

    def begin(self) -> None:
        """Set the state to pending.

        Raises:
            ReactiveError: the state cannot be set now, for example during a build; the run ends.
        """
        set_value(self.element, self.pending)

    def end(self, state: MutationState[Any]) -> None:
        """Set the final state, unless a later run or a reset has set it, and close the transaction."""
        try:
            if self.element.value is self.pending:
                set_value(self.element, state)
        finally:
            self.transaction.close()


def _idle(ref: Ref) -> MutationIdle:
    return IDLE


def _ignore(previous: object, value: object) -> None:
    """Listen only to keep a provider alive."""
