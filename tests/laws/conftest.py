"""Free the syntax trees after the last law: the tests that follow would visit them in each garbage collection."""

from __future__ import annotations

import pytest

from tests.laws.imports import nodes_of, tree_of


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    if nextitem is None or nextitem.path.parent != item.path.parent:
        nodes_of.cache_clear()
        tree_of.cache_clear()
