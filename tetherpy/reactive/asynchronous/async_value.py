"""The value of an asynchronous provider: data, loading or error, with what was known before kept through.

Behaviour follows Riverpod 3.4's ``AsyncValue``. A value that is *refreshed* (same dependencies, asked again)
stays AsyncData or AsyncError with ``is_loading`` set; one that is *reloaded* (a dependency changed) becomes
AsyncLoading with the previous data and error still readable.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Final, Generic, NoReturn, TypeAlias, TypeVar, TypeVarTuple, cast, final, overload

from tetherpy.errors import raise_again, safe_repr

from ..errors import AsyncValueIsLoadingError
from ..values.comparison import differs

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
R = TypeVar("R")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
Ts = TypeVarTuple("Ts")


@final
class _Missing:
    """The type of the mark for 'no value known'."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<no value>"

    def __reduce__(self) -> str:
        return "_MISSING"  # copies and pickles are the same object: it is compared by identity


_MISSING: Final = _Missing()


def _none(_: object) -> None:
    return None


class AsyncValue(Generic[T_co]):
    """Base of exactly three classes: AsyncData, AsyncLoading and AsyncError; match on them."""

    __slots__ = ("_error", "_from_cache", "_loading", "_progress", "_retrying", "_traceback", "_value")

    _value: Any
    _error: Exception | None
    _traceback: TracebackType | None
    """That of the error when this state was made; set only with an error."""
    _loading: bool
    _progress: float | None
    _retrying: bool
    _from_cache: bool

    def __init_subclass__(cls) -> None:
        if cls.__module__ != __name__:
            raise TypeError("AsyncValue is sealed: it is AsyncData, AsyncLoading or AsyncError, and no other")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen: {name!r} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen: {name!r} cannot be deleted")

    # -- what is known ---------------------------------------------------------------------------

    @property
    def value(self) -> T_co | None:
        """The data, also while it is being loaded again or after an error; None if there is none yet."""
        return None if self._value is _MISSING else self._value

    @property
    def error(self) -> Exception | None:
        """The error of the last attempt, if it failed; its traceback is on ``error.__traceback__``."""
        if self._error is not None:
            # It is one object for all who raise it: each raise would add its frames to those of the earlier ones.
            self._error.__traceback__ = self._traceback
        return self._error

    @property
    def require_value(self) -> T_co:
        """The data, if there is any; else raise the error, or AsyncValueIsLoadingError.

        Inside the build of an asynchronous provider, a value that is still loading leaves that provider
        loading too (Riverpod): combining asynchronous providers needs no ``await``.
        """
        if self._value is not _MISSING:
            return cast("T_co", self._value)
        if self._error is not None:
            raise_again(self._error)
        raise AsyncValueIsLoadingError(self)

    @property
    def has_value(self) -> bool:
        """Whether there is data, fresh or kept (data may itself be None)."""
        return self._value is not _MISSING

    @property
    def has_error(self) -> bool:
        """Whether there is an error, of this attempt or kept from the last."""
        return self._error is not None

    @property
    def is_loading(self) -> bool:
        """Whether a build is under way, with or without earlier data."""
        return self._loading

    @property
    def is_refreshing(self) -> bool:
        """Whether it is being loaded again with the same dependencies (invalidate, refresh)."""
        return self._loading and (self.has_value or self.has_error) and not isinstance(self, AsyncLoading)

    @property
    def is_reloading(self) -> bool:
        """Whether it is being loaded again because a dependency changed."""
        return self._loading and (self.has_value or self.has_error) and isinstance(self, AsyncLoading)

    @property
    def retrying(self) -> bool:
        """Whether the last attempt failed and another will be made by itself."""
        return self._retrying

    @property
    def is_from_cache(self) -> bool:
        """Whether the data comes from offline persistence and was not confirmed yet."""
        return self._from_cache

    @property
    def progress(self) -> float | None:
        """How much of the loading is done, 0 to 1, if the loader says."""
        return self._progress

    @property
    def as_data(self) -> AsyncData[T_co] | None:
        """Itself if it is AsyncData, else None."""
        return self if isinstance(self, AsyncData) else None

    @property
    def as_error(self) -> AsyncError[T_co] | None:
        """Itself if it is AsyncError, else None."""
        return self if isinstance(self, AsyncError) else None

    # -- cases -----------------------------------------------------------------------------------

    def map(
        self,
        *,
        data: Callable[[AsyncData[T_co]], R],
        error: Callable[[AsyncError[T_co]], R],
        loading: Callable[[AsyncLoading[T_co]], R],
    ) -> R:
        """Call the function of the class this value has, with the value itself."""
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
        data: Callable[[AsyncData[T_co]], R | None] = _none,
        error: Callable[[AsyncError[T_co]], R | None] = _none,
        loading: Callable[[AsyncLoading[T_co]], R | None] = _none,
    ) -> R | None:
        """Do as ``map``; a case that is not given is None."""
        return self.map(data=data, error=error, loading=loading)

    def maybe_map(
        self,
        *,
        or_else: Callable[[], R],
        data: Callable[[AsyncData[T_co]], R] | None = None,
        error: Callable[[AsyncError[T_co]], R] | None = None,
        loading: Callable[[AsyncLoading[T_co]], R] | None = None,
    ) -> R:
        """Do as ``map``; a case that is not given is ``or_else()``."""

        def otherwise(_: object) -> R:
            return or_else()

        return self.map(
            data=otherwise if data is None else data,
            error=otherwise if error is None else error,
            loading=otherwise if loading is None else loading,
        )

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
        """Choose what to show, by default keeping what is on screen while refreshing.

        Args:
            data: called with the data.
            error: called with the error.
            loading: called while loading, unless one of the skips applies.
            skip_loading_on_reload: show the old data or error while a dependency's change is loaded.
            skip_loading_on_refresh: show the old data or error while the same is loaded again.
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
        """Do as ``when``; a case that is not given is ``or_else()``."""

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
        data: Callable[[T_co], R | None] = _none,
        error: Callable[[Exception], R | None] = _none,
        loading: Callable[[], R | None] = lambda: None,
        skip_loading_on_reload: bool = False,
        skip_loading_on_refresh: bool = True,
        skip_error: bool = False,
    ) -> R | None:
        """Do as ``when``; a case that is not given is None."""
        return self.when(
            data=data,
            error=error,
            loading=loading,
            skip_loading_on_reload=skip_loading_on_reload,
            skip_loading_on_refresh=skip_loading_on_refresh,
            skip_error=skip_error,
        )

    def when_data(self, fn: Callable[[T_co], R]) -> AsyncState[R]:
        """Return the same state with ``fn`` applied to the data; an error that ``fn`` raises is AsyncError."""
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
        """Return the state without what was kept from earlier ones."""
        if self._loading:
            return AsyncLoading(progress=self._progress)
        if isinstance(self, AsyncData):
            return AsyncData(self.value)
        failure = self.error
        assert failure is not None
        return AsyncError(failure)

    def copy_with_previous(self, previous: AsyncValue[Any], is_refresh: bool = True) -> AsyncState[T_co]:
        """Return this state with the data and error of ``previous`` kept, as a provider does by itself.

        Args:
            previous: the state before this one.
            is_refresh: whether the loading is a refresh (keep the class of ``previous``) or a reload.
        """
        raise NotImplementedError

    def followed_by(self, new: AsyncValue[Any], *, is_refresh: bool) -> AsyncState[Any]:
        """Return the state that a provider in this one has when it is set to ``new``.

        A state that already carries more than one of data, error and loading is taken as it is (Riverpod).
        """
        if new._loading + new.has_value + new.has_error > 1:
            return cast("AsyncState[Any]", new)
        return new.copy_with_previous(self, is_refresh)

    def retried_after(self, error: Exception) -> AsyncLoading[Any]:
        """Return the state between a failed attempt and the next one: loading, with the error kept."""
        return _make(AsyncLoading[Any], self._value, error, True, None, True, self._from_cache)

    def cached(self, value: Any) -> AsyncLoading[Any]:
        """Return the state while the real data is on its way and ``value`` was found in storage."""
        return _make(AsyncLoading[Any], value, self.error, True, self._progress, self._retrying, True)

    # -- making ----------------------------------------------------------------------------------

    @staticmethod
    def guard(fn: Callable[[], R]) -> AsyncResult[R]:
        """Call ``fn`` and return what it gave as AsyncData, or what it raised as AsyncError."""
        try:
            return AsyncData(fn())
        except Exception as error:
            return AsyncError(error)

    @staticmethod
    async def guard_async(fn: Callable[[], Awaitable[R]]) -> AsyncResult[R]:
        """Await ``fn()`` and return what it gave as AsyncData, or what it raised as AsyncError."""
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
        """Return data when all have data, else the first error, else loading.

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

    def __eq__(self, other: object) -> bool:
        """Whether it is the same state with equal data; data that cannot be compared is not equal."""
        if type(self) is not type(other):
            return NotImplemented
        value = cast("AsyncValue[Any]", other)
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

    def __repr__(self) -> str:
        parts: list[str] = []
        if self._value is not _MISSING:
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


_set_value, _set_error, _set_loading, _set_progress, _set_retrying, _set_from_cache, _set_traceback = (
    AsyncValue.__dict__[name].__set__
    for name in ("_value", "_error", "_loading", "_progress", "_retrying", "_from_cache", "_traceback")
)


def _fill(
    target: AsyncValue[Any],
    value: Any,
    error: Exception | None,
    loading: bool,
    progress: float | None,
    retrying: bool,
    from_cache: bool,
) -> None:
    _set_value(target, value)
    _set_error(target, error)
    _set_loading(target, loading)
    _set_progress(target, progress)
    _set_retrying(target, retrying)
    _set_from_cache(target, from_cache)
    if error is not None:
        _set_traceback(target, error.__traceback__)


@final
class AsyncData(AsyncValue[T_co]):
    """The data is there."""

    __slots__ = ()
    __match_args__ = ("value",)

    def __init__(self, value: T_co) -> None:
        _fill(self, value, None, False, None, False, False)

    @property
    def value(self) -> T_co:
        """The data."""
        return cast("T_co", self._value)

    def copy_with_previous(self, previous: AsyncValue[Any], is_refresh: bool = True) -> AsyncData[T_co]:
        """Return itself: fresh data replaces whatever was known."""
        return self


@final
class AsyncLoading(AsyncValue[T_co]):
    """The data is on its way.

    Args:
        progress: how much is done, 0 to 1 (ValueError beyond), or None where that is not known.
    """

    __slots__ = ()
    __match_args__ = ()

    def __init__(self, progress: float | None = None) -> None:
        if progress is not None and not 0 <= progress <= 1:
            raise ValueError(f"progress must be between 0 and 1, not {progress!r}")
        _fill(self, _MISSING, None, True, progress, False, False)

    def copy_with_previous(self, previous: AsyncValue[Any], is_refresh: bool = True) -> AsyncState[T_co]:
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
        _fill(self, _MISSING, error, False, None, False, False)

    @property
    def error(self) -> Exception:
        """What the attempt raised."""
        failure = super().error
        assert failure is not None
        return failure

    def copy_with_previous(self, previous: AsyncValue[Any], is_refresh: bool = True) -> AsyncError[T_co]:
        """Return the error with the previous data kept beside it."""
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
"""The union that a watched asynchronous provider gives: a ``match`` over it is checked to be exhaustive."""

V = TypeVar("V", bound=AsyncValue[Any])


def _make(
    kind: type[V],
    value: Any = _MISSING,
    error: Exception | None = None,
    loading: bool = False,
    progress: float | None = None,
    retrying: bool = False,
    from_cache: bool = False,
) -> V:
    made = cast("V", object.__new__(getattr(kind, "__origin__", kind)))
    _fill(made, value, error, loading, progress, retrying, from_cache)
    return made
