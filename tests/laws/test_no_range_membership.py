"""``x in range(...)`` counts up to ``x`` for every ``x`` that is not exactly an int, such as a member of an IntEnum."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.laws.imports import ROOT, nodes_of


def is_range(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range"


def memberships(file: Path) -> list[str]:
    named = {
        target.id
        for node in nodes_of(file)
        if isinstance(node, ast.Assign | ast.AnnAssign) and is_range(node.value)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    return [
        f"{file}:{node.lineno}"
        for node in nodes_of(file)
        if isinstance(node, ast.Compare)
        for operator, right in zip(node.ops, node.comparators, strict=True)
        if isinstance(operator, ast.In | ast.NotIn) and (is_range(right) or getattr(right, "id", None) in named)
    ]


def test_bounds_are_compared_instead_of_searched_in_a_range() -> None:
    assert not [found for file in (ROOT / "tetherpy").rglob("*.py") for found in memberships(file)]
