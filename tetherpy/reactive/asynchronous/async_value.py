"""``AsyncValue``: the state of an asynchronous provider, which is data, loading or error.

Behaviour follows Riverpod 3.4's ``AsyncValue``. A value that is *refreshed* (loaded again with the same dependencies)
stays AsyncData or AsyncError with ``is_loading`` set; one that is *reloaded* (a dependency changed) becomes
AsyncLoading, with the previous data and error still readable.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar, cast, final, overload

from tetherpy.errors import safe_repr

from ..errors import DeclarationError, ReactiveArgumentError
from .async_value_cases import AsyncValueCases, none
from .async_value_fields import MISSING, T_co, fill

T = TypeVar("T")
R = TypeVar("R")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")


class AsyncValue(AsyncValueCases[T_co]):
    """Base of exactly three classes, AsyncData, AsyncLoading and AsyncError: use ``match`` on them."""

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        if cls.__module__ != __name__:
            raise DeclarationError(
                cls.__name__, cls, "AsyncValue is sealed: only AsyncData, AsyncLoading and AsyncError are subclasses."
            )

    # -- properties ------------------------------------------------------------------------------

    @property
    def as_data(self) -> AsyncData[T_co] | None:
        """This value if it is AsyncData, else None."""
        return self if isinstance(self, AsyncData) else None

    @property
    def as_error(self) -> AsyncError[T_co] | None:
        """This value if it is AsyncError, else None."""
        return self if isinstance(self, AsyncError) else None

    # -- cases -----------------------------------------------------------------------------------

    def map(
        self,
        *,
        data: Callable[[AsyncData[T_co]], R],
        error: Callable[[AsyncError[T_co]], R],
        loading: Callable[[AsyncLoading[T_co]], R],
    ) -> R:
        """Call the function for the class of this value, with the value as argument."""
        match self:
            case AsyncData():
                return data(self)
            case AsyncError():
                return error(self)
            case _:
                return loading(cast("AsyncLoading[T_co]", self))

    def map_or_none(
        self,
        *,
        data: Callable[[AsyncData[T_co]], R | None] = none,
        error: Callable[[AsyncError[T_co]], R | None] = none,
        loading: Callable[[AsyncLoading[T_co]], R | None] = none,
    ) -> R | None:
        """Do as ``map``; a missing case returns None."""
        return self.map(data=data, error=error, loading=loading)

    def maybe_map(
        self,
        *,
        or_else: Callable[[], R],
        data: Callable[[AsyncData[T_co]], R] | None = None,
        error: Callable[[AsyncError[T_co]], R] | None = None,
        loading: Callable[[AsyncLoading[T_co]], R] | None = None,
    ) -> R:
        """Do as ``map``; a missing case returns ``or_else()``."""

        def otherwise(_: object) -> R:
            return or_else()

        return self.map(
            data=otherwise if data is None else data,
            error=otherwise if error is None else error,
            loading=otherwise if loading is None else loading,
        )

    def when_data(self, fn: Callable[[T_co], R]) -> AsyncState[R]:
        """Return the same state with ``fn`` applied to the data; if ``fn`` raises, return AsyncError."""
        match self:
            case AsyncData():
                try:
                    return _make(AsyncData[R], fn(self.value), self.error, self._loading, self._progress)
                except Exception as error:
                    return _make(AsyncError[R], error=error, loading=self._loading, progress=self._progress)
            case AsyncError():
                return _make(AsyncError[R], error=self.error, loading=self._loading, progress=self._progress)
            case _:
                return AsyncLoading(progress=self._progress)

    # -- transitions -----------------------------------------------------------------------------

    def unwrap_previous(self) -> AsyncState[T_co]:
        """Return the state without data and errors kept from earlier states."""
        if self._loading:
            return AsyncLoading(progress=self._progress)
        if isinstance(self, AsyncData):
            return AsyncData(self.value)
        failure = self.error
        assert failure is not None
        return AsyncError(failure)

    def copy_with_previous(self, previous: AsyncValue[Any], *, is_refresh: bool = True) -> AsyncState[T_co]:
        """Return this state with the data and error of ``previous`` kept, as providers do on each change.

        Args:
            previous: the state before this one.
            is_refresh: True for a refresh (keep the class of ``previous``), False for a reload.
        """
        raise NotImplementedError

    def followed_by(self, new: AsyncValue[Any], *, is_refresh: bool) -> AsyncState[Any]:
        """Return the state of a provider that is in this state and is set to ``new``.

        If ``new`` already has more than one of data, error and loading, it is used unchanged (Riverpod).
        """
        if new._loading + new.has_value + new.has_error > 1:
            return cast("AsyncState[Any]", new)
        return new.copy_with_previous(self, is_refresh=is_refresh)

    def retried_after(self, error: Exception) -> AsyncLoading[Any]:
        """Return the state between a failed attempt and the next one: loading, with the error kept."""
        return _make(AsyncLoading[Any], self._value, error, True, None, True, self._from_cache)

    def cached(self, value: Any) -> AsyncLoading[Any]:
        """Return the state while the data is loading and ``value`` was found in storage."""
        return _make(AsyncLoading[Any], value, self.error, True, self._progress, self._retrying, True)

    def with_value(self, value: Any) -> AsyncState[Any]:
        """Return this state, which has data, with other data."""
        if value is self._value:
            return cast("AsyncState[Any]", self)
        made = _make(type(self), value, self.error, self._loading, self._progress, self._retrying, self._from_cache)
        return cast("AsyncState[Any]", made)

    # -- making ----------------------------------------------------------------------------------

    @staticmethod
    def guard(fn: Callable[[], R]) -> AsyncResult[R]:
        """Call ``fn`` and return its result as AsyncData, or the exception it raised as AsyncError."""
        try:
            return AsyncData(fn())
        except Exception as error:
            return AsyncError(error)

    @staticmethod
    async def guard_async(fn: Callable[[], Awaitable[R]]) -> AsyncResult[R]:
        """Await ``fn()`` and return its result as AsyncData, or the exception it raised as AsyncError."""
        try:
            return AsyncData(await fn())
        except Exception as error:
            return AsyncError(error)

    @overload
    @staticmethod
    def combine(a: AsyncValue[A], b: AsyncValue[B], /) -> AsyncState[tuple[A, B]]: ...
    @overload
    @staticmethod
    def combine(a: AsyncValue[A], b: AsyncValue[B], c: AsyncValue[C], /) -> AsyncState[tuple[A, B, C]]: ...
    @overload
    @staticmethod
    def combine(
        a: AsyncValue[A], b: AsyncValue[B], c: AsyncValue[C], d: AsyncValue[D], /
    ) -> AsyncState[tuple[A, B, C, D]]: ...
    @overload
    @staticmethod
    def combine(*values: AsyncValue[A]) -> AsyncState[tuple[A, ...]]: ...
    @staticmethod
    def combine(*values: AsyncValue[Any]) -> AsyncState[Any]:
        """Return the first error if there is one, a tuple of the data if all have data, else loading.

        A value that is refreshing counts as data, and makes the combination refreshing.
        """
        failed = next((v for v in values if isinstance(v, AsyncError)), None)
        if failed is not None:
            return AsyncError(failed.error)
        loading = any(v.is_loading for v in values)
        if all(v.has_value for v in values) and not any(isinstance(v, AsyncLoading) for v in values):
            return _make(AsyncData[Any], tuple(v.require_value for v in values), loading=loading)
        return AsyncLoading()

    # -- identity --------------------------------------------------------------------------------

    def __repr__(self) -> str:
        parts: list[str] = []
        if self._value is not MISSING:
            parts.append(safe_repr(self._value) if isinstance(self, AsyncData) else f"value={safe_repr(self._value)}")
        if self._error is not None:
            parts.append(safe_repr(self._error) if isinstance(self, AsyncError) else f"error={safe_repr(self._error)}")
        if self._loading and not isinstance(self, AsyncLoading):
            parts.append("is_loading=True")
        if self._progress is not None:
            parts.append(f"progress={self._progress!r}")
        if self._retrying:
            parts.append("retrying=True")
        if self._from_cache:
            parts.append("is_from_cache=True")
        return f"{type(self).__name__}({', '.join(parts)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (
            _make,
            (
                type(self),
                self._value,
                self._error,
                self._loading,
                self._progress,
                self._retrying,
                self._from_cache,
            ),
        )


@final
class AsyncData(AsyncValue[T_co]):
    """The data is available."""

    __slots__ = ()
    __match_args__ = ("value",)

    def __init__(self, value: T_co) -> None:
        fill(self, value, None, False, None, False, False)

    @property
    def value(self) -> T_co:
        """The data."""
        return cast("T_co", self._value)

    def copy_with_previous(self, previous: AsyncValue[Any], *, is_refresh: bool = True) -> AsyncData[T_co]:
        """Return this value: new data replaces the previous state."""
        return self


@final
class AsyncLoading(AsyncValue[T_co]):
    """The data is loading.

    Args:
        progress: the completed fraction, 0 to 1, or None if it is not known.

    Raises:
        ReactiveArgumentError: ``progress`` is out of bounds.
    """

    __slots__ = ()
    __match_args__ = ()
    _is_reload = True

    def __init__(self, progress: float | None = None) -> None:
        if progress is not None and not 0 <= progress <= 1:
            raise ReactiveArgumentError("progress", progress, "it must be from 0 to 1")
        fill(self, MISSING, None, True, progress, False, False)

    def copy_with_previous(self, previous: AsyncValue[Any], *, is_refresh: bool = True) -> AsyncState[T_co]:
        """Return loading that keeps the previous data and error, as a refresh or as a reload."""
        kind = type(previous) if is_refresh else AsyncLoading[Any]
        return cast(
            "AsyncState[T_co]",
            _make(
                kind,
                previous._value,
                previous.error,
                True,
                self._progress,
                self._retrying,
                previous._from_cache,
            ),
        )


@final
class AsyncError(AsyncValue[T_co]):
    """The last attempt failed; the traceback is on ``error.__traceback__``."""

    __slots__ = ()
    __match_args__ = ("error",)

    def __init__(self, error: Exception) -> None:
        fill(self, MISSING, error, False, None, False, False)

    @property
    def error(self) -> Exception:
        """The exception that the attempt raised."""
        failure = super().error
        assert failure is not None
        return failure

    def copy_with_previous(self, previous: AsyncValue[Any], *, is_refresh: bool = True) -> AsyncError[T_co]:
        """Return the error with the previous data kept."""
        return _make(
            AsyncError[T_co],
            previous._value,
            self.error,
            self._loading,
            self._progress,
            self._retrying,
            previous._from_cache,
        )


AsyncResult: TypeAlias = AsyncData[T] | AsyncError[T]
"""A settled AsyncValue."""

AsyncState: TypeAlias = AsyncData[T] | AsyncLoading[T] | AsyncError[T]
"""The union of all states of an asynchronous provider: type checkers verify that a ``match`` over it is exhaustive."""

V = TypeVar("V", bound=AsyncValue[Any])


def _make(
    kind: type[V],
    value: Any = MISSING,
    error: Exception | None = None,
    loading: bool = False,
    progress: float | None = None,
    retrying: bool = False,
    from_cache: bool = False,
) -> V:
    made = cast("V", object.__new__(getattr(kind, "__origin__", kind)))
    fill(made, value, error, loading, progress, retrying, from_cache)
    return made
