"""The fields of an AsyncValue: data, error, progress, and how they were obtained."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Final, Generic, NoReturn, TypeVar, cast, final

from tetherpy.errors import raise_again

from ..errors import AsyncValueIsLoadingError
from ..values.comparison import differs

T_co = TypeVar("T_co", covariant=True)


@final
class _Missing:
    """The type of the marker for a missing value."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<no value>"

    def __reduce__(self) -> str:
        return "MISSING"  # a copy and an unpickled object are this same object, because it is compared by identity


MISSING: Final = _Missing()


class AsyncValueFields(Generic[T_co]):
    """Base of AsyncValue: immutable fields, compared by value."""

    __slots__ = ("_error", "_from_cache", "_loading", "_progress", "_retrying", "_traceback", "_value")

    _value: Any
    _error: Exception | None
    _traceback: TracebackType | None
    """The traceback of the error when this state was created; set only with an error."""
    _loading: bool
    _progress: float | None
    _retrying: bool
    _from_cache: bool

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen: {name!r} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen: {name!r} cannot be deleted")

    @property
    def value(self) -> T_co | None:
        """The data, also while it is loading again or after an error; None if no data was loaded yet."""
        return None if self._value is MISSING else self._value

    @property
    def error(self) -> Exception | None:
        """The error of the last attempt, if it failed; its traceback is on ``error.__traceback__``."""
        if self._error is not None:
            # Every raise uses this one object and adds its frames to the traceback: restore the original.
            self._error.__traceback__ = self._traceback
        return self._error

    @property
    def require_value(self) -> T_co:
        """The data if available; else raise the error, or AsyncValueIsLoadingError.

        If the value is still loading, the asynchronous provider whose build reads this stays loading too (Riverpod):
        combining asynchronous providers needs no ``await``.
        """
        if self._value is not MISSING:
            return cast("T_co", self._value)
        if self._error is not None:
            raise_again(self._error)
        raise AsyncValueIsLoadingError(self)

    @property
    def has_value(self) -> bool:
        """Whether there is data, new or kept (the data may be None)."""
        return self._value is not MISSING

    @property
    def has_error(self) -> bool:
        """Whether there is an error, from this attempt or kept from the previous one."""
        return self._error is not None

    @property
    def is_loading(self) -> bool:
        """Whether a build is running, with or without earlier data."""
        return self._loading

    @property
    def retrying(self) -> bool:
        """Whether the last attempt failed and a retry is scheduled."""
        return self._retrying

    @property
    def is_from_cache(self) -> bool:
        """Whether the data comes from offline persistence and was not loaded again yet."""
        return self._from_cache

    @property
    def progress(self) -> float | None:
        """The completed fraction of the loading, 0 to 1, if the loader reports it."""
        return self._progress

    def __eq__(self, other: object) -> bool:
        """Whether it is the same state with equal data; data that cannot be compared is not equal."""
        if type(self) is not type(other):
            return NotImplemented
        value = cast("AsyncValueFields[Any]", other)
        return (
            self._loading == value._loading
            and self._progress == value._progress
            and self._retrying == value._retrying
            and self._from_cache == value._from_cache
            and not differs(self._error, value._error)
            and not differs(self._value, value._value)
        )

    def __hash__(self) -> int:
        return hash((type(self), self._value, self._error, self._loading, self._progress, self._retrying))


_set_value, _set_error, _set_loading, _set_progress, _set_retrying, _set_from_cache, _set_traceback = (
    AsyncValueFields.__dict__[name].__set__
    for name in ("_value", "_error", "_loading", "_progress", "_retrying", "_from_cache", "_traceback")
)


def fill(
    target: AsyncValueFields[Any],
    value: Any,
    error: Exception | None,
    loading: bool,
    progress: float | None,
    retrying: bool,
    from_cache: bool,
) -> None:
    """Set the fields of a new AsyncValue, past its immutability."""
    _set_value(target, value)
    _set_error(target, error)
    _set_loading(target, loading)
    _set_progress(target, progress)
    _set_retrying(target, retrying)
    _set_from_cache(target, from_cache)
    if error is not None:
        _set_traceback(target, error.__traceback__)
