"""The root cause of a provider's error."""

from __future__ import annotations

from tetherpy.errors import leaves
from tetherpy.reactive import ProviderError


def original(error: BaseException) -> BaseException:
    """Return the original error of a provider; an exception group with several errors is returned as a group."""
    while True:
        held = list(leaves(error))
        if len(held) == 1 and held[0] is not error:
            (error,) = held
        elif isinstance(error, ProviderError) and error.__cause__ is not None:
            error = error.__cause__
        else:
            return error
