"""No module needs itself to be imported, not even for type checkers or inside a function."""

from __future__ import annotations

from tests.laws.imports import imports_of, modules


def graph() -> dict[str, set[str]]:
    names = modules()
    return {name: {found.target for found in imports_of(name) if found.target in names} for name in names}


def loops(edges: dict[str, set[str]]) -> list[list[str]]:
    """Return the groups of modules that reach each other (Tarjan's strongly connected components)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for target in sorted(edges[name]):
            if target not in index:
                visit(target)
                low[name] = min(low[name], low[target])
            elif target in stack:
                low[name] = min(low[name], index[target])
        if low[name] == index[name]:
            group = [stack.pop()]
            while group[-1] != name:
                group.append(stack.pop())
            if len(group) > 1 or name in edges[name]:
                found.append(sorted(group))

    for name in edges:
        if name not in index:
            visit(name)
    return found


def test_no_import_cycles() -> None:
    assert loops(graph()) == []


def test_a_cycle_is_detected() -> None:
    assert loops({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"d"}}) == [["b", "c"], ["d"]]
