"""Errors of using a container, provider, Ref or subscription before it is ready, after its end or in a wrong thread."""

from __future__ import annotations

from tetherpy.errors import message

from .base import ReactiveError


@message(
    "{container!r} was disposed and can no longer be used: its providers were disposed with it. "
    "Keep the container open for as long as you need it (leave the `with` block later), "
    "or create a new one."
)
class ContainerDisposedError(ReactiveError):
    """Raised when a disposed ProviderContainer is used.

    Attributes:
        container: the disposed container.
    """

    container: object


@message(
    "{provider!r} was read while {container!r} is being disposed, and it has not been built. Building it now "
    "could open a resource that is never closed. Read it in the build, and keep it for the disposer."
)
class ContainerClosingError(ReactiveError):
    """Raised when a disposer reads a provider that was never built in a container that is being disposed.

    Attributes:
        provider: the provider that was read.
        container: the container.
    """

    provider: object
    container: object


class ReadDuringDisposalError(ReactiveError):
    """Raised when a disposer reads the provider whose build is ending, or one that depends on it.

    Attributes:
        provider: the provider that was read.
        ending: the provider whose build ends.
    """

    def __init__(self, provider: object, ending: object) -> None:
        needed = "" if provider is ending else f", which needs {ending!r}"
        super().__init__(
            f"A disposer of {ending!r} tried to read {provider!r}{needed}. Its build is ending, so it has no value. "
            "Keep what the disposer needs in a variable of the build."
        )
        self.provider = provider
        self.ending = ending


class ProviderDisposedError(ReactiveError):
    """Raised by a pending ``.future`` whose provider was disposed, and by reading a disposed value.

    Attributes:
        provider: the provider that was disposed.
        awaited: True if its future was awaited, False if its value was read (by a disposer of another provider).
    """

    def __init__(self, provider: object, *, awaited: bool = False) -> None:
        super().__init__(
            f"{provider!r} was disposed while still loading, so its future will never have a value. "
            "Keep a listener or ref.keep_alive() on it for as long as you wait, or keep its container open."
            if awaited
            else f"{provider!r} was read after it was disposed, so it has no value. A provider is disposed with its "
            "container, or when it is auto-dispose and no longer used. In on_dispose, use a variable that the build "
            "has set; elsewhere keep a listener or ref.keep_alive() on the provider."
        )
        self.provider = provider
        self.awaited = awaited


@message(
    "This subscription to {provider!r} was closed, by close() or at the end of the container or build it "
    "belonged to, so it no longer keeps a value alive. Read with container.read or ref.read, "
    "or listen again."
)
class SubscriptionClosedError(ReactiveError):
    """Raised by reading a closed subscription.

    Attributes:
        provider: the provider of the subscription.
    """

    provider: object


@message(
    "{provider!r} was read with the transaction of a mutation whose run has ended. The transaction can no "
    "longer keep the provider alive. Read it before the function of the mutation returns, or with "
    "container.read."
)
class MutationEndedError(ReactiveError):
    """Raised when the transaction of a mutation is used after the run has ended.

    Attributes:
        provider: the provider that the transaction was asked for.
    """

    provider: object


@message(
    "The Ref of {provider!r} was used after its build was replaced or disposed. If an earlier build was still "
    "running after a rebuild, check ref.mounted after each await, or stop the work in ref.on_dispose. "
    "If the ref was used inside on_dispose, read the values in the build instead."
)
class UnmountedRefError(ReactiveError):
    """Raised when a Ref is used after its build was replaced or its provider disposed.

    Attributes:
        provider: the provider of the Ref.
    """

    provider: object


@message(
    "{notifier_type.__name__} was used before its provider had built it: in its constructor, on an "
    "instance you made yourself, or before build() returned the first state. Do this work in build(), and "
    "get the instance with container.read(provider.notifier)."
)
class NotifierNotReadyError(ReactiveError):
    """Raised when a notifier's ``ref`` or ``state`` is used before its provider was built.

    Attributes:
        notifier_type: the class of the notifier.
    """

    notifier_type: type


@message(
    "{container!r} belongs to the thread that created it and was used in another thread. "
    "Run the call in its thread with container.call_soon_threadsafe(fn)."
)
class WrongThreadError(ReactiveError):
    """Raised when a container is used in a thread that did not create it.

    Attributes:
        container: the container.
    """

    container: object


@message(
    "{container_type.__name__}.test() was called while no pytest test is running, so the container would "
    "never be disposed. Call it inside a test or a function-scoped fixture, with tetherpy installed "
    "(its pytest plugin registers itself); elsewhere use `with ProviderContainer() as container:`."
)
class NoTestError(ReactiveError):
    """Raised by ``ProviderContainer.test`` outside a test.

    Attributes:
        container_type: the class whose ``test`` was called.
    """

    container_type: type


@message("This History was closed and its steps are gone. Create another one.")
class HistoryClosedError(ReactiveError):
    """Raised when a closed History is used."""
