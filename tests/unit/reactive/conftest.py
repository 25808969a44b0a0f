"""A container for each test, and the errors that reached its ``on_error``."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tetherpy.reactive import ProviderContainer
from tetherpy.reactive.graph import invariants


@pytest.fixture
def reported() -> list[BaseException]:
    """Return what reached ``on_error``; a test that expects errors takes them out."""
    return []


@pytest.fixture
async def container(reported: list[BaseException]) -> AsyncIterator[ProviderContainer]:
    """Yield a container that must not report anything the test did not take out of ``reported``."""
    async with ProviderContainer(on_error=lambda error, provider: reported.append(error)) as container:
        yield container
    assert reported == []


@pytest.fixture(autouse=True)
def checked_graph(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Check the whole graph after each operation; tests of memory measure without."""
    monkeypatch.setattr(invariants, "enabled", "leaks" not in request.path.name)
