"""Errors of building a provider: failures, dependency loops, changes at the wrong moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tetherpy.errors import first_line, message

from .base import ReactiveError


class ProviderError(ReactiveError):
    """Raised by reading a provider whose build failed; the original error is ``__cause__``.

    Attributes:
        provider: the provider that failed.
        root: the first error in the chain: the cause, or the root of the cause if that is a ProviderError.
    """

    def __init__(self, provider: object, cause: BaseException | None = None) -> None:
        root: BaseException | None = cause.root if isinstance(cause, ProviderError) else cause
        raised = "" if root is None else f" {first_line(root)}"
        through = "" if root is cause else " ProviderError, because of"
        super().__init__(
            f"{provider!r} is in error: its function raised{through}{raised}. The traceback of the cause shows where. "
            "Catch ProviderError and inspect its __cause__, or fix the cause and invalidate the provider."
        )
        self.provider = provider
        self.root: BaseException | None = root
        self.__cause__ = cause


MOST_NAMED: Final = 8
"""How many providers at the beginning of a loop are named, and how many at its end."""


class CircularDependencyError(ReactiveError):
    """Raised when a provider is read while it is being built.

    Attributes:
        cycle: the providers of the loop in order; the first one is repeated at the end.
    """

    def __init__(self, cycle: Sequence[object]) -> None:
        names = list(map(repr, cycle))
        if len(names) > 2 * MOST_NAMED:
            names[MOST_NAMED:-MOST_NAMED] = [f"... {len(names) - 2 * MOST_NAMED:,} more ..."]
        loop = " -> ".join(names)
        super().__init__(
            f"Circular dependency: {loop}. A provider cannot depend on its own value. "
            "Move the shared part into a third provider, or use ref.read inside a callback."
        )
        self.cycle = tuple(cycle)


@message(
    "{building!r} tried to change {provider!r} while it was being built. Providers that have already read "
    "{provider!r} in this turn would see a different value than those that read it later. Derive the value "
    "with ref.watch instead, or make the change in a callback after the build."
)
class ChangeDuringBuildError(ReactiveError):
    """Raised when the build of a provider changes another provider.

    Attributes:
        provider: the provider that the build tried to change.
        building: the provider that was being built.
    """

    provider: object
    building: object


@message(
    "After {rounds} rounds of updates, {provider!r} still changes: a listener writes to the provider that it "
    "listens to, directly or indirectly. Stop writing in the listener when nothing is left to do, or derive "
    "the value with a provider."
)
class EndlessUpdateError(ReactiveError):
    """Raised when listeners keep changing the providers they listen to, so that the graph never settles.

    Attributes:
        provider: a provider that was still waiting for a rebuild.
        rounds: how many rounds of updates ran.
    """

    provider: object
    rounds: int


@message("{provider!r} has not been built in {container!r}. Read it first, then call explain.")
class NotBuiltError(ReactiveError, LookupError):
    """Raised by ``explain`` for a provider that was not built in the container.

    Attributes:
        provider: the provider.
        container: the container.
    """

    provider: object
    container: object


@message("The graph is inconsistent: {finding}. This is a bug of tetherpy. Please report it.")
class GraphInvariantError(ReactiveError, AssertionError):
    """Raised if the graph is inconsistent, which is checked with ``TETHERPY_CHECK=1``: a bug of tetherpy.

    Attributes:
        finding: the inconsistency.
    """

    finding: str


@message("The function of {provider!r} returned {returned!r}. {remedy}")
class ProviderReturnTypeError(ReactiveError, TypeError):
    """Raised when the function of a provider returns a value of the wrong kind.

    Attributes:
        provider: the provider.
        returned: the value that its function returned.
    """

    provider: object
    returned: object
    remedy: str
