"""Every error class of every package survives copying and pickling, as a process pool or pytest-xdist does it."""

from __future__ import annotations

import copy
import importlib
import inspect
import pickle
import pkgutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest

import tetherpy
from tetherpy.errors import PortableError, TetherError
from tetherpy.jobs import BackgroundJobStatus

JOB = SimpleNamespace(id=1, job_key="report", created_at=datetime.now(UTC), status="failed", last_error=None)
VALUES: list[Any] = ["a", ["a", "b"], 1, timedelta(seconds=1), Path("a"), int, datetime.now(UTC), OSError(1), JOB]
"""The values that constructors are called with, in this order."""
EXAMPLES: dict[str, tuple[Any, ...]] = {
    "EndlessJobsError": (1, JOB),
    "ForeignClockError": (JOB, datetime.now(UTC)),
    "IllegalJobTransitionError": (1, BackgroundJobStatus.FAILED, BackgroundJobStatus.RUNNING),
    "JobProviderError": ("report", JOB),
    "JobsFailedError": ([(1, "failed", None)],),
    "ProviderError": ("provider", None),
    "StuckJobsError": (1, [JOB]),
    "SettingsError": (Path("tether.yaml"), 1, 1, "a problem", "text"),
}


def _kinds() -> list[type[BaseException]]:
    kinds: set[type[BaseException]] = set()
    for module in pkgutil.walk_packages(tetherpy.__path__, "tetherpy."):
        if module.name.endswith("__main__") or ".templates" in module.name:
            continue
        for kind in vars(importlib.import_module(module.name)).values():
            if inspect.isclass(kind) and issubclass(kind, BaseException) and kind.__module__.startswith("tetherpy"):
                kinds.add(kind)
    return sorted(kinds, key=lambda kind: (kind.__module__, kind.__name__))


def made(kind: type[BaseException], given: Mapping[str, Any] = MappingProxyType({})) -> BaseException:
    """Return an error of a class, with the given arguments and some fitting value for the others."""
    if kind.__name__ in EXAMPLES:
        keywords = {"time_stands_still": True} if kind.__name__ == "StuckJobsError" else {}
        return kind(*EXAMPLES[kind.__name__], **keywords)
    if kind.__init__ is Exception.__init__:
        return kind("a text")
    wanted = list(inspect.signature(kind.__init__).parameters.values())[1:]
    for value in VALUES:
        try:
            return kind(
                *(given.get(p.name, value) for p in wanted if p.kind is p.POSITIONAL_OR_KEYWORD),
                **{p.name: given.get(p.name, value) for p in wanted if p.kind is p.KEYWORD_ONLY},
            )
        except Exception:
            continue
    raise AssertionError(f"{kind} cannot be made: add it to EXAMPLES")


KINDS = _kinds()
WAYS: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{
        f"pickle {protocol}": lambda error, protocol=protocol: pickle.loads(pickle.dumps(error, protocol))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    },
}


def test_all_packages_are_searched() -> None:
    assert len(KINDS) > 100
    assert {kind.__module__.split(".")[1] for kind in KINDS} >= {
        "cli", "database", "errors", "generator", "jobs", "reactive", "service", "testing", "ui",
    }  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_copies_and_pickles_are_equal(kind: type[BaseException]) -> None:
    assert issubclass(kind, PortableError) or "__init__" not in vars(kind)
    error = made(kind)
    error.add_note("a note")
    error.__cause__ = OSError(2, "no such file")
    for way, copied in WAYS.items():
        other = copied(error)
        assert type(other) is kind, way
        assert (str(other), other.args) == (str(error), error.args), way
        if isinstance(error, PortableError):
            assert vars(other) == vars(error), way
            assert repr(other.__cause__) == repr(error.__cause__), way
            other.add_note("another")
            assert error.__notes__[-1] == "a note", way


class Unpicklable:
    def __reduce__(self) -> Any:
        raise RuntimeError("is not pickled")

    def __repr__(self) -> str:
        return "<unpicklable>"


class Unloadable(Exception):
    """As of a library: it pickles, and cannot be loaded."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"{first} and {second}")


class OddError(TetherError):
    def __init__(self, thing: object) -> None:
        super().__init__(f"It is odd: {thing!r}.")
        self.thing = thing


def test_an_attribute_that_cannot_be_pickled_is_replaced_by_its_text() -> None:
    error = OddError(Unpicklable())
    error.__cause__ = Unloadable(1, 2)
    loaded = pickle.loads(pickle.dumps(error))
    assert (str(loaded), loaded.thing) == (str(error), "<unpicklable>")
    assert str(loaded.__cause__) == "Unloadable('1 and 2')"
    copied = copy.deepcopy(error)
    assert copied.thing is error.thing
    assert copied.__cause__ is error.__cause__


def test_a_long_chain_of_causes_is_pickled_in_linear_time() -> None:
    error: BaseException = ValueError("first")
    for number in range(2_000):
        later = OddError(number)
        later.__cause__ = error
        error = later
    assert str(pickle.loads(pickle.dumps(error))) == "It is odd: 1999."
