"""What the property tests share."""

from __future__ import annotations

import pytest

from tetherpy.reactive.graph import invariants


@pytest.fixture(autouse=True)
def checked_graph(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Check the whole graph after each operation; tests of memory measure without."""
    monkeypatch.setattr(invariants, "enabled", "leaks" not in request.path.name)
