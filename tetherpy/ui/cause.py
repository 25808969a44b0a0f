"""Why a provider is in error, as people want to be told."""

from __future__ import annotations

from tetherpy.reactive import ProviderError


def original(error: BaseException) -> BaseException:
    """Return what a failed provider failed of: that a provider failed is no news to who presses a key."""
    while isinstance(error, ProviderError) and error.__cause__ is not None:
        error = error.__cause__
    return error
