"""Fixtures of the property tests."""

from __future__ import annotations

import pytest

from tetherpy.reactive.graph import invariants


@pytest.fixture(autouse=True)
def checked_graph(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Check the whole graph after each operation; memory tests measure without it."""
    monkeypatch.setattr(invariants, "enabled", "leaks" not in request.path.name)
