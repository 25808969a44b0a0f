"""Mutations: actions whose progress the rest of the app can watch.

What happens follows Riverpod's ``Mutation``: the state is idle until the mutation is run, pending while it
runs, then success or error; it is idle again when nobody has watched it for a turn, or after ``reset``.
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
from .graph.propagation import set_value
from .graph.subscription import ProviderSubscription
from .lifecycle.context_variables import bound
from .providers.family_arguments import key_of
from .providers.provider import ProviderBase

T = TypeVar("T")
R = TypeVar("R")


@attrs.frozen
class MutationIdle:
    """Not running: never run, reset, or forgotten because nobody watched."""


@attrs.frozen(eq=False)
class MutationPending:
    """Running; each run has its own."""


@attrs.frozen
class MutationSuccess(Generic[T]):
    """Ended with a value."""

    value: T


@attrs.frozen
class MutationError:
    """Ended with an error."""

    error: Exception


MutationState: TypeAlias = MutationIdle | MutationPending | MutationSuccess[T] | MutationError
"""The states of a mutation: a ``match`` over it is checked to be exhaustive."""

IDLE: Final = MutationIdle()


class MutationTransaction:
    """What the function of a mutation reads providers with; they stay alive until it ends."""

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
        """End: nothing is kept alive from now on."""
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
    synthetic: ClassVar[bool] = True  # observers have events of their own for it

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
        """The key this one was made with, or None."""
        return self._key

    @property
    def name(self) -> str:
        """The label, with the key if there is one."""
        label = self._label or "mutation"
        return label if self._key is None else f"{label}({safe_repr(self._key)})"

    def __call__(self, key: Hashable) -> Mutation[T]:
        """Return the mutation for a key, with its own state: one for each row of a list, for example.

        A tree of containers has one state of each mutation. A server with a container for each session takes the
        session's id as the key.

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
        """Run ``fn`` and return what it returns; the state follows.

        A run that is overtaken by a later one still returns its own result, but no longer sets the state.

        Args:
            target: the container, or a Ref in it, whose state of this mutation is meant.
            fn: called with a transaction to read providers with.

        Raises:
            Exception: whatever ``fn`` raises, which is then the state too.
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
                # The coroutine is closed, perhaps by the garbage collector: in any thread, in the middle of a build.
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
        """Make the state idle; a run under way goes on but no longer sets it."""
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
    """One run of a mutation, which keeps the mutation and all that its transaction has read alive."""

    element: Element
    transaction: MutationTransaction
    pending: MutationPending = attrs.field(init=False, factory=MutationPending)

    def begin(self) -> None:
        """Show that it runs.

        Raises:
            ReactiveError: the state cannot be set now, as during a build; the run is over then.
        """
        set_value(self.element, self.pending)

    def end(self, state: MutationState[Any]) -> None:
        """Show how it ended, unless a later run or a reset has set the state, and keep nothing alive."""
        try:
            if self.element.value is self.pending:
                set_value(self.element, state)
        finally:
            self.transaction.close()


def _idle(ref: Ref) -> MutationIdle:
    return IDLE


def _ignore(previous: object, value: object) -> None:
    """Listen only to keep a provider alive."""
