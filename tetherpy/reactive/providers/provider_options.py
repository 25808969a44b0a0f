"""Options of a provider: name, automatic disposal, scoping, retry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, TypedDict

import attrs

from ..errors import ReactiveArgumentError
from ..graph.retries.retry_policy import Retry


def check_scope_name(scope: object) -> None:
    """Check the name of a scope.

    Raises:
        ReactiveArgumentError: it is not a text, or empty.
    """
    if not isinstance(scope, str) or not scope:
        raise ReactiveArgumentError("scope", scope, 'it must be a name, such as "request"')


def _transitive(options: ProviderOptions) -> frozenset[Any]:
    """Return the direct and indirect dependencies; a dependency is always declared before its users."""
    found = frozenset[Any](options.dependencies or ())
    return found.union(*(dependency.settings.transitive for dependency in found))


def _scopes(options: ProviderOptions) -> frozenset[str]:
    """Return the names of the scopes in which a provider may live: the declared one, else those of its dependencies."""
    if options.scope is not None:
        check_scope_name(options.scope)
        return frozenset((options.scope,))
    return frozenset[str]().union(*(dependency.settings.scopes for dependency in options.dependencies or ()))


@attrs.frozen
class ProviderOptions:
    """Options of a provider.

    Attributes:
        name: shown instead of the name of the function.
        auto_dispose: dispose the value when it has no listeners.
        dependencies: the scoped providers it uses; None means that it is not scoped.
        retry: the retry policy after a failed build; None uses the policy of the container.
        scope: it lives in the nearest container of this scope, as made by ``container.child(scope=...)``.
        transitive: the direct and indirect dependencies.
        scopes: ``scope``, or without one the scopes of its dependencies.
    """

    name: str | None = None
    auto_dispose: bool = False
    dependencies: tuple[Any, ...] | None = None
    retry: Retry | None = None
    scope: str | None = None
    transitive: frozenset[Any] = attrs.field(
        init=False, repr=False, default=attrs.Factory(_transitive, takes_self=True)
    )
    scopes: frozenset[str] = attrs.field(init=False, repr=False, default=attrs.Factory(_scopes, takes_self=True))


class OptionArguments(TypedDict, total=False):
    """The keyword arguments of a declaration; see ProviderOptions."""

    name: str | None
    auto_dispose: bool
    dependencies: Iterable[Any] | None
    retry: Retry | None
    scope: str | None


DEFAULT: Final = ProviderOptions()
AUTO_DISPOSE: Final = ProviderOptions(auto_dispose=True)


def make_options(
    name: str | None = None,
    auto_dispose: bool = False,
    dependencies: Iterable[Any] | None = None,
    retry: Retry | None = None,
    scope: str | None = None,
) -> ProviderOptions:
    """Return the options of a declaration; declarations without options share one object."""
    if name is None and dependencies is None and retry is None and scope is None:
        return AUTO_DISPOSE if auto_dispose else DEFAULT
    return ProviderOptions(name, auto_dispose, None if dependencies is None else tuple(dependencies), retry, scope)
