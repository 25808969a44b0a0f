"""The scoping rules: a provider lists the scoped providers that it uses, and lives in their scope."""

from __future__ import annotations

from typing import Any

from ..errors import MissingDependencyError, OutsideScopeError


def check_scope(provider: Any, dependency: Any) -> None:
    """Check that a provider lists a scoped provider that it uses.

    Raises:
        MissingDependencyError: it does not.
    """
    if dependency.settings.dependencies is None or provider.ephemeral:
        return
    listed = provider.settings.dependencies
    family = dependency.of_family
    if family is not None and family is provider.of_family:
        return  # a family may use itself
    if listed is None or not (dependency in listed or family in listed):
        raise MissingDependencyError(provider, dependency)


def found_for(reader: Any, listenable: Any) -> Any:
    """Return the element of a listenable that another element watches.

    Raises:
        OutsideScopeError: the listenable has a scope, and the reader lives outside of it.
    """
    try:
        return reader.host.find(listenable)
    except OutsideScopeError as error:
        # After an await no build is under way, so the container does not know the reader.
        users = error.chain[:-1] or (reader.provider,)
        raise OutsideScopeError(error.provider, error.scopes, error.container, users) from None
