"""Options of a provider: name, automatic disposal, scoping, retry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, TypedDict

import attrs

from ..graph.retries.retry_policy import Retry


def _transitive(options: ProviderOptions) -> frozenset[Any]:
    """Return the direct and indirect dependencies; a dependency is always declared before its users."""
    found = frozenset[Any](options.dependencies or ())
    return found.union(*(dependency.settings.transitive for dependency in found))


@attrs.frozen
class ProviderOptions:
    """Options of a provider.

    Attributes:
        name: shown instead of the name of the function.
        auto_dispose: dispose the value when it has no listeners.
        dependencies: the scoped providers it uses; None means that it is not scoped.
        retry: the retry policy after a failed build; None uses the policy of the container.
        transitive: the direct and indirect dependencies.
    """

    name: str | None = None
    auto_dispose: bool = False
    dependencies: tuple[Any, ...] | None = None
    retry: Retry | None = None
    transitive: frozenset[Any] = attrs.field(
        init=False, repr=False, default=attrs.Factory(_transitive, takes_self=True)
    )


class OptionArguments(TypedDict, total=False):
    """The keyword arguments of a declaration; see ProviderOptions."""

    name: str | None
    auto_dispose: bool
    dependencies: Iterable[Any] | None
    retry: Retry | None


DEFAULT: Final = ProviderOptions()
AUTO_DISPOSE: Final = ProviderOptions(auto_dispose=True)


def make_options(
    name: str | None = None,
    auto_dispose: bool = False,
    dependencies: Iterable[Any] | None = None,
    retry: Retry | None = None,
) -> ProviderOptions:
    """Return the options of a declaration; declarations without options share one object."""
    if name is None and dependencies is None and retry is None:
        return AUTO_DISPOSE if auto_dispose else DEFAULT
    return ProviderOptions(name, auto_dispose, None if dependencies is None else tuple(dependencies), retry)
