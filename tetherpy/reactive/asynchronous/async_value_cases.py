"""Selection of a result by the case of an AsyncValue: ``when`` and its variants."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, TypeVar

from .async_value_fields import AsyncValueFields, T_co

R = TypeVar("R")


def none(_: object) -> None:
    """Return None for every case."""
    return


class AsyncValueCases(AsyncValueFields[T_co]):
    """Base of AsyncValue with ``when`` and its variants."""

    __slots__ = ()

    _is_reload: ClassVar[bool] = False
    """Whether a value of this class with previous data or error is reloading, not refreshing."""

    @property
    def is_refreshing(self) -> bool:
        """Whether it is being loaded again with the same dependencies (invalidate, refresh)."""
        return self._loading and (self.has_value or self.has_error) and not self._is_reload

    @property
    def is_reloading(self) -> bool:
        """Whether it is being loaded again because a dependency changed."""
        return self._loading and (self.has_value or self.has_error) and self._is_reload

    def when(
        self,
        *,
        data: Callable[[T_co], R],
        error: Callable[[Exception], R],
        loading: Callable[[], R],
        skip_loading_on_reload: bool = False,
        skip_loading_on_refresh: bool = True,
        skip_error: bool = False,
    ) -> R:
        """Select the function for this state; by default a refresh keeps showing the old data or error.

        Args:
            data: called with the data.
            error: called with the error.
            loading: called while loading, unless a skip option applies.
            skip_loading_on_reload: show the old data or error during a reload (a dependency changed).
            skip_loading_on_refresh: show the old data or error during a refresh (same dependencies).
            skip_error: show the old data, if any, instead of the error.
        """
        if self._loading:
            skip = (self.is_refreshing and skip_loading_on_refresh) or (self.is_reloading and skip_loading_on_reload)
            if not skip:
                return loading()
        failure = self.error
        if failure is not None and not (self.has_value and skip_error):
            return error(failure)
        return data(self.require_value)

    def maybe_when(
        self,
        *,
        or_else: Callable[[], R],
        data: Callable[[T_co], R] | None = None,
        error: Callable[[Exception], R] | None = None,
        loading: Callable[[], R] | None = None,
        skip_loading_on_reload: bool = False,
        skip_loading_on_refresh: bool = True,
        skip_error: bool = False,
    ) -> R:
        """Do as ``when``; a missing case returns ``or_else()``."""

        def otherwise(_: object) -> R:
            return or_else()

        return self.when(
            data=otherwise if data is None else data,
            error=otherwise if error is None else error,
            loading=or_else if loading is None else loading,
            skip_loading_on_reload=skip_loading_on_reload,
            skip_loading_on_refresh=skip_loading_on_refresh,
            skip_error=skip_error,
        )

    def when_or_none(
        self,
        *,
        data: Callable[[T_co], R | None] = none,
        error: Callable[[Exception], R | None] = none,
        loading: Callable[[], R | None] = lambda: None,
        skip_loading_on_reload: bool = False,
        skip_loading_on_refresh: bool = True,
        skip_error: bool = False,
    ) -> R | None:
        """Do as ``when``; a missing case returns None."""
        return self.when(
            data=data,
            error=error,
            loading=loading,
            skip_loading_on_reload=skip_loading_on_reload,
            skip_loading_on_refresh=skip_loading_on_refresh,
            skip_error=skip_error,
        )
