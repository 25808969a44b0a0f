"""A container for each test, and the errors that its ``on_error`` received."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tetherpy.reactive import ProviderContainer
from tetherpy.reactive.graph import invariants


@pytest.fixture
def reported() -> list[BaseException]:
    """Return the errors that ``on_error`` received; a test removes those that it expects."""
    return []


@pytest.fixture
async def container(reported: list[BaseException]) -> AsyncIterator[ProviderContainer]:
    """Yield a container; the test fails if ``reported`` still contains errors at the end."""
    async with ProviderContainer(on_error=lambda error, provider: reported.append(error)) as container:
        yield container
    assert reported == []


@pytest.fixture(autouse=True)
def checked_graph(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Check the invariants of the graph after each operation, except in memory tests."""
    monkeypatch.setattr(invariants, "enabled", "leaks" not in request.path.name)
