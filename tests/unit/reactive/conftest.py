"""A container for each test, and the errors that reached its ``on_error``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.unit.reactive.matrix import Clock
from tetherpy.reactive import ProviderContainer


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


@pytest.fixture
async def clock() -> AsyncIterator[Clock]:
    """Yield the clock of the running loop, which stands still unless the test moves it."""
    loop = asyncio.get_running_loop()
    real = loop.time
    yield Clock(loop)
    loop.time = real  # type: ignore[method-assign]  # as it was
