"""AsyncValue: data, loading and error with the previous data; every transition and every accessor."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from tetherpy.reactive import AsyncData, AsyncError, AsyncLoading, AsyncResult, AsyncValue, AsyncValueIsLoadingError

ERROR, OTHER = OSError("no"), OSError("other")
DATA: AsyncData[int] = AsyncData(42)
FAILED: AsyncError[int] = AsyncError(ERROR)
LOADING: AsyncLoading[int] = AsyncLoading()


def refreshing(previous: AsyncValue[Any], progress: float | None = None) -> AsyncValue[Any]:
    return AsyncLoading[Any](progress).copy_with_previous(previous)


def reloading(previous: AsyncValue[Any], progress: float | None = None) -> AsyncValue[Any]:
    return AsyncLoading[Any](progress).copy_with_previous(previous, is_refresh=False)


FAILED_WITH_DATA = FAILED.copy_with_previous(DATA)
STATES: dict[str, AsyncValue[Any]] = {
    "data": DATA,
    "error": FAILED,
    "loading": LOADING,
    "progress": AsyncLoading(0.1),
    "error with data": FAILED_WITH_DATA,
    "refreshing data": refreshing(DATA),
    "reloading data": reloading(DATA),
    "refreshing error": refreshing(FAILED),
    "reloading error": reloading(FAILED),
    "refreshing error with data": refreshing(FAILED_WITH_DATA),
    "reloading error with data": reloading(FAILED_WITH_DATA),
    "retrying": LOADING.retried_after(ERROR),
    "cached": LOADING.cached(42),
}
each_state = pytest.mark.parametrize("state", STATES.values(), ids=STATES)


def facts(state: AsyncValue[Any]) -> tuple[Any, ...]:
    """Return the kind of a state, its data, its error, and whether it loads, refreshes or reloads."""
    return (
        type(state),
        state.value if state.has_value else "-",
        state.error,
        state.is_loading,
        state.is_refreshing,
        state.is_reloading,
    )


FACTS: dict[str, tuple[Any, ...]] = {
    "data": (AsyncData, 42, None, False, False, False),
    "error": (AsyncError, "-", ERROR, False, False, False),
    "loading": (AsyncLoading, "-", None, True, False, False),
    "progress": (AsyncLoading, "-", None, True, False, False),
    "error with data": (AsyncError, 42, ERROR, False, False, False),
    "refreshing data": (AsyncData, 42, None, True, True, False),
    "reloading data": (AsyncLoading, 42, None, True, False, True),
    "refreshing error": (AsyncError, "-", ERROR, True, True, False),
    "reloading error": (AsyncLoading, "-", ERROR, True, False, True),
    "refreshing error with data": (AsyncError, 42, ERROR, True, True, False),
    "reloading error with data": (AsyncLoading, 42, ERROR, True, False, True),
    "retrying": (AsyncLoading, "-", ERROR, True, False, True),
    "cached": (AsyncLoading, 42, None, True, False, True),
}


@pytest.mark.parametrize("name", STATES)
def test_each_state_has_its_data_and_error(name: str) -> None:
    state = STATES[name]
    assert facts(state) == FACTS[name]
    _, value, error, loading, refreshing_, reloading_ = FACTS[name]
    assert state.has_value is (value != "-")
    assert state.has_error is (error is not None)
    assert state.retrying is (name == "retrying")
    assert state.is_from_cache is (name == "cached")
    assert not (refreshing_ and reloading_)
    assert loading or not (refreshing_ or reloading_)


def test_none_is_valid_data() -> None:
    state: AsyncData[None] = AsyncData(None)
    assert (state.has_value, state.value, state.require_value) == (True, None, None)


# -- transitions ---------------------------------------------------------------------------------


@each_state
def test_data_replaces_the_previous_state(state: AsyncValue[Any]) -> None:
    for is_refresh in (True, False):
        assert AsyncData(1).copy_with_previous(state, is_refresh=is_refresh) == AsyncData(1)


@each_state
def test_an_error_keeps_the_previous_data(state: AsyncValue[Any]) -> None:
    now = AsyncError[int](OTHER).copy_with_previous(state)
    assert facts(now) == (AsyncError, state.value if state.has_value else "-", OTHER, False, False, False)


@each_state
def test_refreshing_keeps_the_kind_and_reloading_does_not(state: AsyncValue[Any]) -> None:
    kept = (state.value if state.has_value else "-", state.error, True)
    refreshed, reloaded = refreshing(state, 0.1), reloading(state, 0.1)
    assert facts(refreshed)[:4] == (type(state), *kept)
    assert facts(reloaded)[:4] == (AsyncLoading, *kept)
    assert refreshed.progress == reloaded.progress == 0.1
    assert refreshed.is_from_cache is reloaded.is_from_cache is state.is_from_cache
    assert refreshing(refreshed, 0.1) == refreshed
    assert reloading(reloaded, 0.1) == reloaded


@each_state
def test_unwrap_previous_drops_the_previous_data(state: AsyncValue[Any]) -> None:
    now = state.unwrap_previous()
    if state.is_loading:
        assert now == AsyncLoading(state.progress)
    elif isinstance(state, AsyncData):
        assert now == AsyncData(42)
    else:
        assert now == AsyncError(ERROR)


def test_progress_is_between_0_and_1() -> None:
    assert [state.progress for state in (LOADING, DATA, FAILED)] == [None] * 3
    for progress in (0, 0.5, 1):
        assert AsyncLoading(progress).progress == progress
    for progress in (-0.1, 1.1):
        with pytest.raises(ValueError, match=r"1\.1|-0\.1"):
            AsyncLoading(progress)


# -- looking at it -------------------------------------------------------------------------------


@each_state
def test_require_value_returns_the_data_or_raises_the_reason(state: AsyncValue[Any]) -> None:
    if state.has_value:
        assert state.require_value == 42
    elif state.has_error:
        with pytest.raises(OSError, match="no"):
            _ = state.require_value
    else:
        with pytest.raises(AsyncValueIsLoadingError) as caught:
            _ = state.require_value
        assert caught.value.value == state


@each_state
def test_pattern_matching_narrows_by_kind(state: AsyncValue[Any]) -> None:
    match state:
        case AsyncData(value):
            matched = ("data", value)
        case AsyncError(error):
            matched = ("error", error)
        case AsyncLoading(progress=progress):
            matched = ("loading", progress)
        case _:
            raise AssertionError(state)
    expected: Any = {
        AsyncData: ("data", state.value),
        AsyncError: ("error", state.error),
        AsyncLoading: ("loading", state.progress),
    }[type(state)]
    assert matched == expected
    assert state.as_data is (state if isinstance(state, AsyncData) else None)
    assert state.as_error is (state if isinstance(state, AsyncError) else None)


def test_a_result_is_data_or_an_error() -> None:
    result: AsyncResult[int] = AsyncValue.guard(lambda: 42)
    match result:
        case AsyncData(value):
            assert value == 42
        case AsyncError():
            pytest.fail("unexpected")


@each_state
def test_map_calls_the_function_of_the_kind_with_the_state(state: AsyncValue[Any]) -> None:
    kind = {AsyncData: "data", AsyncError: "error", AsyncLoading: "loading"}[type(state)]

    def case(name: str) -> Any:
        return lambda given: (name, given)

    cases = {name: case(name) for name in ("data", "error", "loading")}
    others = {name: fn for name, fn in cases.items() if name != kind}
    assert state.map(**cases) == (kind, state)
    assert state.map_or_none(**{kind: cases[kind]}) == (kind, state)
    assert state.map_or_none(**others) is None
    assert state.maybe_map(or_else=lambda: "else", **{kind: cases[kind]}) == (kind, state)
    assert state.maybe_map(or_else=lambda: "else", **others) == "else"


def expected_case(state: AsyncValue[Any], on_reload: bool, on_refresh: bool, skip_error: bool) -> Any:
    """Return which case of ``when`` is called, from the rules in Riverpod's documentation."""
    if state.is_loading and not ((state.is_refreshing and on_refresh) or (state.is_reloading and on_reload)):
        return "loading"
    if state.has_error and not (skip_error and state.has_value):
        return ("error", ERROR)
    return ("data", 42)


@each_state
@pytest.mark.parametrize("skip_error", [False, True])
@pytest.mark.parametrize("on_refresh", [False, True])
@pytest.mark.parametrize("on_reload", [False, True])
def test_when_calls_the_function_that_should_be_shown(
    state: AsyncValue[Any], on_reload: bool, on_refresh: bool, skip_error: bool
) -> None:
    skips: dict[str, Any] = {
        "skip_loading_on_reload": on_reload,
        "skip_loading_on_refresh": on_refresh,
        "skip_error": skip_error,
    }
    cases: dict[str, Any] = {
        "data": lambda value: ("data", value),
        "error": lambda error: ("error", error),
        "loading": lambda: "loading",
    }
    expected = expected_case(state, on_reload, on_refresh, skip_error)
    kind = expected if expected == "loading" else expected[0]
    others = {name: fn for name, fn in cases.items() if name != kind}
    assert state.when(**cases, **skips) == expected
    assert state.maybe_when(or_else=lambda: "else", **{kind: cases[kind]}, **skips) == expected
    assert state.maybe_when(or_else=lambda: "else", **others, **skips) == "else"
    assert state.when_or_none(**{kind: cases[kind]}, **skips) == expected
    assert state.when_or_none(**others, **skips) is None


@each_state
def test_by_default_a_refresh_shows_the_previous_data_and_a_reload_shows_loading(state: AsyncValue[Any]) -> None:
    cases: dict[str, Any] = {"data": lambda value: "data", "error": lambda error: "error", "loading": lambda: "loading"}
    expected = expected_case(state, on_reload=False, on_refresh=True, skip_error=False)
    assert state.when(**cases) == (expected if expected == "loading" else expected[0])


@each_state
def test_when_data_transforms_data_and_keeps_other_states(state: AsyncValue[Any]) -> None:
    now = state.when_data(str)
    assert (type(now), now.is_loading, now.progress, now.error) == (
        type(state),
        state.is_loading,
        state.progress,
        state.error if not isinstance(state, AsyncLoading) else None,
    )
    if isinstance(state, AsyncData):
        assert now.value == "42"
        failed = state.when_data(lambda value: value // 0)
        assert isinstance(failed, AsyncError)
        assert isinstance(failed.error, ZeroDivisionError)
        assert failed.is_loading is state.is_loading


# -- making --------------------------------------------------------------------------------------


async def test_guard_converts_results_and_exceptions_to_states() -> None:
    async def gives() -> int:
        return 42

    async def raises() -> int:
        raise ERROR

    def fails() -> int:
        raise ERROR

    assert AsyncValue.guard(lambda: 42) == await AsyncValue.guard_async(gives) == DATA
    assert AsyncValue.guard(fails) == await AsyncValue.guard_async(raises) == FAILED
    with pytest.raises(KeyboardInterrupt):
        AsyncValue.guard(_interrupt)


def _interrupt() -> None:
    raise KeyboardInterrupt


def test_combine_has_data_when_all_states_have() -> None:
    assert AsyncValue.combine(DATA, AsyncData("x")) == AsyncData((42, "x"))
    assert AsyncValue.combine(DATA, LOADING) == AsyncLoading()
    assert AsyncValue.combine(LOADING, FAILED, AsyncError[int](OTHER)) == FAILED
    combined = AsyncValue.combine(DATA, refreshing(DATA))
    assert (combined.value, combined.is_refreshing) == ((42, 42), True)
    assert isinstance(AsyncValue.combine(DATA, reloading(DATA)), AsyncLoading)


# -- identity ------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", STATES)
@pytest.mark.parametrize("other", STATES)
def test_equality_compares_all_fields_of_a_state(one: str, other: str) -> None:
    again = pickle.loads(pickle.dumps(STATES[other])) if other != one else copy.copy(STATES[other])
    assert (STATES[one] == again) is (one == other)
    assert (STATES[one] != again) is (one != other)
    if one == other:
        assert hash(STATES[one]) == hash(again)


def test_states_with_a_different_kind_value_error_or_progress_differ() -> None:
    assert AsyncData(1) != AsyncData(2)
    assert AsyncError[int](ERROR) != AsyncError[int](OTHER)
    assert AsyncLoading(0.1) != AsyncLoading(0.2)
    assert AsyncData(1) != 1
    assert AsyncLoading[int]() == AsyncLoading[str]()


def test_repr_shows_data_error_and_progress() -> None:
    assert {name: repr(state) for name, state in STATES.items()} == {
        "data": "AsyncData(42)",
        "error": "AsyncError(OSError('no'))",
        "loading": "AsyncLoading()",
        "progress": "AsyncLoading(progress=0.1)",
        "error with data": "AsyncError(value=42, OSError('no'))",
        "refreshing data": "AsyncData(42, is_loading=True)",
        "reloading data": "AsyncLoading(value=42)",
        "refreshing error": "AsyncError(OSError('no'), is_loading=True)",
        "reloading error": "AsyncLoading(error=OSError('no'))",
        "refreshing error with data": "AsyncError(value=42, OSError('no'), is_loading=True)",
        "reloading error with data": "AsyncLoading(value=42, error=OSError('no'))",
        "retrying": "AsyncLoading(error=OSError('no'), retrying=True)",
        "cached": "AsyncLoading(value=42, is_from_cache=True)",
    }


def test_a_state_is_frozen_and_sealed() -> None:
    for state in STATES.values():
        with pytest.raises(AttributeError):
            state.value = 1  # type: ignore[misc]  # what the test is about
        with pytest.raises(AttributeError):
            del state.progress
    with pytest.raises(TypeError, match="sealed"):
        type("Other", (AsyncValue,), {})
