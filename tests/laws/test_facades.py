"""The ``__all__`` of a package lists its whole public API: importable, unique and documented."""

from __future__ import annotations

import ast
import inspect
import itertools
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.laws.imports import modules, tree_of

FACADES = [name for name, path in modules().items() if path.name == "__init__.py"]


def exported(name: str) -> list[str]:
    return list(import_module(name).__all__)


@pytest.mark.parametrize("name", FACADES)
def test_all_has_no_duplicates(name: str) -> None:
    names = exported(name)
    assert len(names) == len(set(names))  # ruff sorts each list


@pytest.mark.parametrize("name", FACADES)
def test_all_lists_the_imports_of_the_package(name: str) -> None:
    tree = tree_of(modules()[name])
    statements = [*tree.body, *(s for node in tree.body if isinstance(node, ast.If) for s in node.body)]
    imports = [
        node
        for node in statements
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").startswith("tetherpy"))
        # Neither the modules of the package, nor the functions with which a facade is made.
        if node.module not in (None, "facades", "tetherpy.facades")
    ]
    imported = {alias.asname or alias.name for node in imports for alias in node.names} - {"*"}
    wildcards = {
        public
        for node in imports
        if node.names[0].name == "*"
        for public in exported(f"{name}.{node.module}" if node.level else str(node.module))
    }
    assigned = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    named = {public for public in imported | assigned if not public.startswith("_")}
    assert named <= set(exported(name)) <= named | wildcards


@pytest.mark.parametrize("name", FACADES)
def test_every_public_name_exists_and_is_documented(name: str) -> None:
    module = import_module(name)
    assert module.__doc__, f"{name} does not describe its purpose"
    undocumented = [public for public in exported(name) if not is_documented(public, getattr(module, public))]
    assert not undocumented


@pytest.mark.parametrize("name", [name for name in FACADES if exported(name)])
def test_completion_and_help_offer_the_public_names(name: str) -> None:
    module = import_module(name)
    assert dir(module) == sorted(exported(name))
    # help() lists the members of a module, and imports a name that is not used yet.
    assert {member for member, _ in inspect.getmembers(module)} == set(exported(name))


def is_documented(public: str, value: Any) -> bool:
    if (inspect.isclass(value) or inspect.isroutine(value)) and value.__module__.startswith("tetherpy"):
        return bool(value.__doc__)
    return public in with_text_below()


@cache
def with_text_below() -> frozenset[str]:
    """Return the constants and aliases whose first assignment in a module is followed by a string."""
    return frozenset(name for path in modules().values() for name, described in assignments(path) if described)


def assignments(path: Path) -> list[tuple[str, bool]]:
    """Return the names that a module assigns, and whether a string follows the first assignment of each."""
    first: dict[str, bool] = {}
    for node, following in itertools.pairwise(tree_of(path).body):
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        described = (
            isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
            and isinstance(following.value.value, str)
        )
        for target in targets:
            if isinstance(target, ast.Name):
                first.setdefault(target.id, described)
    return list(first.items())
