"""Why a provider is in error, as people want to be told."""

from __future__ import annotations

from tetherpy.errors import leaves
from tetherpy.reactive import ProviderError


def original(error: BaseException) -> BaseException:
    """Return the error that a provider's failure comes from; several in an exception group are shown together."""
    while True:
        held = list(leaves(error))
        if len(held) == 1 and held[0] is not error:
            (error,) = held
        elif isinstance(error, ProviderError) and error.__cause__ is not None:
            error = error.__cause__
        else:
            return error
