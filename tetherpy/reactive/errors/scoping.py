"""Errors of overrides and of scoped providers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tetherpy.errors import message

from .base import ReactiveError


class ScopeError(ReactiveError):
    """Base of the errors about overriding providers in child containers."""


@message(
    "{provider!r} was overridden in a child container but is not scoped: providers of the parent that "
    "already depend on it would not see the override. Declare it with dependencies=[] (or the list of "
    "scoped providers it uses), or override it in the root container. A provider with a scope is overridden "
    "in the container of this scope: container.child(scope=..., overrides=[...])."
)
class NotScopedError(ScopeError):
    """Raised when a child container overrides a provider that was declared without ``dependencies``.

    Attributes:
        provider: the provider or family of the override.
    """

    provider: object


class OutsideScopeError(ScopeError):
    """Raised when a provider with a scope is read where no container has this scope.

    Attributes:
        provider: the provider that was read.
        scopes: the scopes in which it may live.
        container: the container in which it was read.
        chain: the providers from the one that was read by the app to ``provider``; each uses the next one.
    """

    def __init__(
        self, provider: object, scopes: Iterable[str], container: object, users: Sequence[object] = ()
    ) -> None:
        names = sorted(scopes)
        scope = " or ".join(map(repr, names))
        chain = (*users, provider)
        if users:
            reader = users[-1]
            text = (
                f"{' -> '.join(map(repr, chain))}: {reader!r} uses {provider!r}, which has the scope {scope}, but it "
                f"lives outside this scope, where all containers of the scope would share it. Declare {reader!r} "
                f"and the providers that use it with scope={names[0]!r}, or pass the value as an argument."
            )
        else:
            text = (
                f"{provider!r} has the scope {scope}, and was read in {container!r}, which is not inside a "
                f"container of this scope. Read it in container.child(scope={names[0]!r}), or in a provider that has "
                "this scope."
            )
        super().__init__(text)
        self.provider = provider
        self.scopes: tuple[str, ...] = tuple(names)
        self.container = container
        self.chain = chain


class MissingDependencyError(ScopeError):
    """Raised when a provider uses a scoped provider that its ``dependencies`` do not list.

    Attributes:
        provider: the provider that was being built.
        dependency: the scoped provider it used.
    """

    def __init__(self, provider: object, dependency: object) -> None:
        super().__init__(
            f"{provider!r} uses {dependency!r}, which is scoped (it is declared with `dependencies`), without listing "
            f"it: in a child container it would not follow an override. Declare {provider!r} with "
            f"dependencies=[..., {getattr(dependency, 'name', dependency)}]."
        )
        self.provider = provider
        self.dependency = dependency


class OverrideMismatchError(ScopeError):
    """Raised when ``update_overrides`` is given overrides of other providers than the container has.

    Attributes:
        expected: the origins of the overrides that the container has.
        given: the origins that were given.
    """

    def __init__(self, expected: Sequence[object], given: Sequence[object]) -> None:
        super().__init__(
            f"update_overrides was given overrides of {list(given)!r}, but the container was created with "
            f"overrides of {list(expected)!r}. It can replace an override, but it cannot add, remove or reorder "
            "overrides: pass the same providers in the same order, or create a new container."
        )
        self.expected = tuple(expected)
        self.given = tuple(given)


@message(
    "{provider!r} cannot be overridden with {given!r}: override_with takes a function like the one it "
    "replaces, and {given.__class__.__name__} cannot be called. For a fixed value give a function that returns "
    "it, or use the provider's override_with_value."
)
class NotCallableError(ReactiveError, TypeError):
    """Raised by ``override_with`` when it is given an object that cannot be called.

    Attributes:
        provider: the provider or family of the override.
    """

    provider: object
    given: object


@message(
    "overrides takes a list of overrides, and was given {given!r}. Write "
    "overrides=[provider.override_with_value(value)] or [provider.override_with(function)]; a provider or "
    "family alone in the list gives the container a separate state of it."
)
class NotAnOverrideError(ScopeError, TypeError):
    """Raised when ``overrides`` is not a list of overrides, or contains another object.

    Attributes:
        given: the object that is not an override.
    """

    given: object


@message("{provider!r} is overridden twice in one container; remove one of the two overrides.")
class DuplicateOverrideError(ScopeError):
    """Raised when one container overrides the same provider twice.

    Attributes:
        provider: the provider or family that was overridden twice.
    """

    provider: object
