"""The law of scopes: who uses a scoped provider says so."""

from __future__ import annotations

from typing import Any

from ..errors import MissingDependencyError


def check_scope(provider: Any, dependency: Any) -> None:
    """Raise MissingDependencyError if a scoped provider is used by one that does not list it."""
    if dependency.settings.dependencies is None or provider.ephemeral:
        return
    listed = provider.settings.dependencies
    family = dependency.of_family
    if family is not None and family is provider.of_family:
        return  # a family may use itself
    if listed is None or not (dependency in listed or family in listed):
        raise MissingDependencyError(provider, dependency)
