"""Parse the sources, and read all imports: at module level, for type checkers only, and inside functions."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "tetherpy"


class Import(NamedTuple):
    """One imported module."""

    importer: str
    target: str
    line: int
    lazy: bool
    typing_only: bool

    def __str__(self) -> str:
        how = "lazily, " * self.lazy + "for type checkers, " * self.typing_only
        return f"{self.importer}:{self.line} imports {self.target} ({how}see architecture.md)"


def name_of(path: Path) -> str:
    """Return the dotted name of a module file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, Path]:
    """Return the library's modules by name."""
    return {name_of(path): path for path in sorted(LIBRARY.rglob("*.py"))}


@cache
def tree_of(path: Path) -> ast.Module:
    """Return the syntax tree of a source file; many laws share it."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """Return all nodes of a source file."""
    return tuple(ast.walk(tree_of(path)))


@cache
def imports_of(name: str) -> tuple[Import, ...]:
    """Return everything that a module of the library imports."""
    return tuple(imports_in(name, modules()[name]))


def imports_in(name: str, path: Path) -> Iterator[Import]:
    """Return everything that a file imports."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    yield from _walk(tree_of(path), name, package, lazy=False, typing_only=False)


def _walk(node: ast.AST, name: str, package: str, *, lazy: bool, typing_only: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(name, alias.name, child.lineno, lazy, typing_only)
        elif isinstance(child, ast.ImportFrom):
            yield from _from(child, name, package, lazy=lazy, typing_only=typing_only)
        else:
            yield from _walk(
                child,
                name,
                package,
                lazy=lazy or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef),
                typing_only=typing_only or _is_for_type_checkers(child),
            )


def _is_for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def _from(node: ast.ImportFrom, name: str, package: str, *, lazy: bool, typing_only: bool) -> Iterator[Import]:
    base = node.module or ""
    if node.level:
        parent = package.split(".")
        parent = parent[: len(parent) - node.level + 1]
        base = ".".join([*parent, base] if base else parent)
    for alias in node.names:
        inner = f"{base}.{alias.name}"
        yield Import(name, inner if inner in modules() else base, node.lineno, lazy, typing_only)


def room(name: str) -> str:
    """Return the package of the library that a module lives in: ``tetherpy.jobs.sqlite.claim`` is in ``jobs``."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else ""


def is_ours(name: str) -> bool:
    """Whether a module belongs to the library."""
    return name.split(".")[0] == "tetherpy"


def is_standard(name: str) -> bool:
    """Whether a module belongs to Python."""
    return name.split(".")[0] in sys.stdlib_module_names
