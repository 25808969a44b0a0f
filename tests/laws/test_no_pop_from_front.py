"""``list.pop(0)`` moves all other items: a queue that is emptied with it takes the square of its length."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.laws.imports import ROOT, nodes_of


def pops_from_front(file: Path) -> list[str]:
    return [
        f"{file}:{node.lineno}"
        for node in nodes_of(file)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "pop"
        and [getattr(argument, "value", None) for argument in node.args] == [0]
    ]


def test_queues_are_deques() -> None:
    assert not [found for file in (ROOT / "tetherpy").rglob("*.py") for found in pops_from_front(file)]
