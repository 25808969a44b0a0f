"""What an error of a build means: which providers failed, and whether a value is only not there yet."""

from __future__ import annotations

from collections.abc import Iterator

from tetherpy.errors import leaves

from ..errors import AsyncValueIsLoadingError, ProviderError


def origins(error: BaseException) -> Iterator[BaseException]:
    """Yield what an error comes from, through exception groups and through ProviderErrors to their causes."""
    waiting = [error]
    seen: set[int] = set()
    while waiting:
        for leaf in leaves(waiting.pop()):
            if not isinstance(leaf, ProviderError) or leaf.__cause__ is None:
                yield leaf
            elif id(leaf.__cause__) not in seen:  # groups of one failed provider would double with each level
                seen.add(id(leaf.__cause__))
                waiting.append(leaf.__cause__)


def is_still_loading(error: BaseException) -> bool:
    """Whether an error only says that an asynchronous value is not there yet."""
    return all(isinstance(origin, AsyncValueIsLoadingError) for origin in origins(error))


def is_of_others(error: BaseException) -> bool:
    """Whether an error only says that other providers have failed, which have reported it themselves."""
    return all(isinstance(leaf, ProviderError) for leaf in leaves(error))
