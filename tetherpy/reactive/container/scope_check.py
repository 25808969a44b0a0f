"""The scoping rule: a provider lists the scoped providers that it uses."""

from __future__ import annotations

from typing import Any

from ..errors import MissingDependencyError


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
