"""The pytest plugin: it disposes what ``ProviderContainer.test`` has made when the test ends."""

from __future__ import annotations

import asyncio
from collections.abc import Generator

import pytest

from tetherpy.reactive import ProviderContainer


@pytest.fixture(autouse=True)
def tetherpy_containers() -> Generator[list[ProviderContainer]]:
    """Give the containers that this test made with ``ProviderContainer.test``; the last one is disposed first.

    It is there for every test, and ends after the test's own fixtures. What fails while a container is disposed
    fails the test.
    """
    opened: list[ProviderContainer] = []
    outer, ProviderContainer.test_scope = ProviderContainer.test_scope, opened
    try:
        yield opened
    finally:
        ProviderContainer.test_scope = outer
        while opened:
            container = opened.pop()
            if not container.disposed:
                asyncio.run(container.aclose())
