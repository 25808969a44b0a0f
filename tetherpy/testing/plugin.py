"""The pytest plugin: fixtures for containers, jobs and time, and leak checks.

It is loaded in every run of pytest where tetherpy is installed, so modules that a fixture needs are imported when
the fixture is used.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tetherpy.reactive import Override, ProviderContainer

from .containers import TestContainers
from .test_end import ended_with

if TYPE_CHECKING:
    from .clock import Clock
    from .inline_jobs import InlineJobs
    from .test_scope import Lifetime


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers",
        "allow_leaks(*kinds): let the test leave 'provider', 'task' or 'file' behind; without kinds, all of them.",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Note whether the body of a test failed, for fixtures that end after it."""
    if call.when == "call" and call.excinfo is not None and "tetherpy_lifetime" in getattr(item, "fixturenames", ()):
        from .test_scope import FAILED

        item.stash[FAILED] = True
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_assertrepr_compare(
    op: str, left: object, right: object
) -> Generator[None, list[list[str]], list[list[str]]]:
    """Explain why two values of this library are not equal, and show the jobs whose facts are not."""
    usual = yield
    if not any(type(value).__module__.startswith("tetherpy.") for value in (left, right)):
        return usual
    from .comparisons import explain_comparison, jobs_behind

    if own := explain_comparison(op, left, right):
        return [own]
    return [[*explanation, *jobs_behind(left, right)] for explanation in usual]


@pytest.fixture(autouse=True)
def tetherpy_containers(request: pytest.FixtureRequest) -> Generator[TestContainers]:
    """Give the containers that this test made with ``ProviderContainer.test``; the last one is disposed first.

    It is there for every test, and ends after the test's own fixtures. What fails while a container is disposed
    fails the test.
    """
    containers = TestContainers()
    with containers.collected():
        for _ in ended_with(request, containers):
            yield containers


@pytest.fixture
def tetherpy_lifetime(request: pytest.FixtureRequest) -> Generator[Lifetime]:
    """Give the shared state of the other fixtures of this test; its end checks for leaks."""
    from .test_scope import lifetime_of

    yield from lifetime_of(request)


@pytest.fixture
def provider_overrides() -> list[Override]:
    """Return the overrides of every container of a test; override this fixture in a ``conftest.py``."""
    return []


@pytest.fixture
def make_container(
    tetherpy_lifetime: Lifetime, provider_overrides: Iterable[Override]
) -> Callable[..., ProviderContainer]:
    """Make a container that is disposed when the test ends: ``make_container(overrides=[...], ...)``.

    Arguments are those of ``ProviderContainer``. The overrides given go before those of the fixture
    ``provider_overrides``, which apply to containers without a parent. A test that leaves a provider, a task or a
    file handle behind fails.
    """

    def make(*, overrides: Iterable[Override] = (), **options: Any) -> ProviderContainer:
        usual = () if options.get("parent") is not None else provider_overrides
        # The container refuses what is no override, and explains it.
        chosen = {getattr(override, "origin", id(override)): override for override in (*usual, *overrides)}
        return ProviderContainer.test(overrides=list(chosen.values()), **options)

    return make


@pytest.fixture
def container(make_container: Callable[..., ProviderContainer]) -> ProviderContainer:
    """Return a container that is disposed when the test ends, with the overrides of ``provider_overrides``."""
    return make_container()


@pytest.fixture
def clock(tetherpy_lifetime: Lifetime) -> Clock:
    """Return a clock that stops until the test calls ``await clock.advance(seconds)``.

    It controls the test's event loop, and with it delays, backoff and periodic jobs of the fixture ``jobs``,
    ``cache_for``, and retries of providers.
    """
    from .clock import Clock

    clock = Clock()
    tetherpy_lifetime.when_begun(clock.drive)
    tetherpy_lifetime.before_end.callback(clock.release)
    return clock


@pytest.fixture
def jobs_path(tmp_path: Path) -> Path:
    """Return where the fixture ``jobs`` keeps its database: ``app.db`` in ``tmp_path``."""
    return tmp_path / "app.db"


@pytest.fixture
def jobs(jobs_path: Path, tetherpy_lifetime: Lifetime, request: pytest.FixtureRequest) -> InlineJobs:
    """Return the jobs of an ``async def`` test, in a separate SQLite file: enqueue, then ``await jobs.drain()``.

    Handlers run in the test's own loop, through the code of the worker. With the fixture ``clock`` they go by
    that clock.
    """
    from .inline_jobs import InlineJobs

    clock = request.getfixturevalue("clock") if "clock" in request.fixturenames else None
    return InlineJobs(jobs_path, tetherpy_lifetime, clock)
