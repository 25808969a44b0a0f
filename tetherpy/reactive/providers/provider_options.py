"""How a provider behaves, beside its function."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import attrs

from ..graph.retry import Retry


def _transitive(options: ProviderOptions) -> frozenset[Any]:
    """Return the dependencies and what they depend on in turn: all of them were declared before."""
    found = frozenset[Any](options.dependencies or ())
    return found.union(*(dependency.settings.transitive for dependency in found))


@attrs.frozen
class ProviderOptions:
    """How a provider behaves, beside its function.

    Attributes:
        name: shown instead of the function's name.
        auto_dispose: dispose the value when nobody uses it any more.
        dependencies: the scoped providers it uses; None means it is not scoped.
        retry: when to build it again after a failure; None leaves that to the container.
        transitive: the dependencies and what they depend on in turn.
    """

    name: str | None = None
    auto_dispose: bool = False
    dependencies: tuple[Any, ...] | None = None
    retry: Retry | None = None
    transitive: frozenset[Any] = attrs.field(
        init=False, repr=False, default=attrs.Factory(_transitive, takes_self=True)
    )


DEFAULT: Final = ProviderOptions()
AUTO_DISPOSE: Final = ProviderOptions(auto_dispose=True)


def make_options(
    name: str | None, auto_dispose: bool, dependencies: Iterable[Any] | None, retry: Retry | None
) -> ProviderOptions:
    """Return options for what a declaration was given; most declarations share one object."""
    if name is None and dependencies is None and retry is None:
        return AUTO_DISPOSE if auto_dispose else DEFAULT
    return ProviderOptions(name, auto_dispose, None if dependencies is None else tuple(dependencies), retry)
