"""Classification of build errors: still loading, failed because of another provider, or original."""

from __future__ import annotations

from collections.abc import Iterator

from tetherpy.errors import leaves

from ..errors import AsyncValueIsLoadingError, ProviderError


def origins(error: BaseException) -> Iterator[BaseException]:
    """Yield the original errors behind an error, through exception groups and the causes of ProviderErrors."""
    waiting = [error]
    seen: set[int] = set()
    while waiting:
        for leaf in leaves(waiting.pop()):
            if not isinstance(leaf, ProviderError) or leaf.__cause__ is None:
                yield leaf
            elif id(leaf.__cause__) not in seen:  # else nested groups around one failed provider take exponential time
                seen.add(id(leaf.__cause__))
                waiting.append(leaf.__cause__)


def is_still_loading(error: BaseException) -> bool:
    """Return whether an error only means that an asynchronous value is still loading."""
    return all(isinstance(origin, AsyncValueIsLoadingError) for origin in origins(error))


def is_of_others(error: BaseException) -> bool:
    """Return whether an error only means that other providers have failed, which have reported their errors."""
    return all(isinstance(leaf, ProviderError) for leaf in leaves(error))
