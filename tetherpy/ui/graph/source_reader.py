"""Find the providers that a function names, in the source of its module."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import attrs

from tetherpy.reactive import Family, ProviderBase

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def is_provider(value: object) -> bool:
    """Whether a value is a provider or a family, by its real type (``__class__`` may be overridden)."""
    return issubclass(type(value), (ProviderBase, Family))


@attrs.frozen(eq=False)
class ModuleSource:
    """A module and its top-level statements by the names they define."""

    module: ModuleType
    statements: dict[str, ast.stmt]

    @classmethod
    def of(cls, module: ModuleType) -> ModuleSource:
        """Parse a module; without readable source it has no statements."""
        try:
            tree = ast.parse(inspect.getsource(module))
        except (OSError, TypeError, SyntaxError, ValueError):
            return cls(module, {})
        return cls(module, {name: statement for statement in tree.body for name in _names_given(statement)})


@attrs.define(eq=False)
class SourceReader:
    """Finds the dependencies of providers; parses each module once."""

    _sources: dict[str, ModuleSource] = attrs.field(init=False, factory=dict[str, ModuleSource])

    def uses_of(self, provider: Any, near: ModuleType) -> dict[Any, bool]:
        """Return the providers that a provider names, in order, and whether it watches each."""
        place = self._declaration(provider, near)
        if place is None:
            return {}
        source, statement = place
        uses: dict[Any, bool] = {}
        for found, watched in self._named_in(source, statement, {statement}):
            if found is not provider:
                uses[found] = uses.get(found, False) or watched
        return uses

    def _declaration(self, provider: Any, near: ModuleType) -> tuple[ModuleSource, ast.stmt] | None:
        """Return the declaration of a provider, in the given module or any loaded one."""
        for module in (near, *tuple(sys.modules.values())):
            # Some entries are not modules, and some run code on attribute access.
            if type(module) is not ModuleType or not _has(module, provider):
                continue
            source = self._source(module)
            for name, value in tuple(vars(module).items()):
                statement = source.statements.get(name) if value is provider else None
                if statement is not None and not isinstance(statement, ast.Import | ast.ImportFrom):
                    return source, statement
        return None

    def _source(self, module: ModuleType) -> ModuleSource:
        found = self._sources.get(module.__name__)
        if found is None:
            found = self._sources[module.__name__] = ModuleSource.of(module)
        return found

    def _named_in(self, source: ModuleSource, root: ast.stmt, seen: set[ast.stmt]) -> Iterator[tuple[Any, bool]]:
        """Find the providers in a statement, and in the functions and classes of its module that it names."""
        watching = {id(part) for call in ast.walk(root) if _is_watch(call) for part in ast.walk(call)}
        for node in _in_order(root):
            value = _value_of(node, source.module)
            if is_provider(value):
                yield value, id(node) in watching
            elif isinstance(node, ast.Name):
                statement = source.statements.get(node.id)
                if isinstance(statement, _DEFINITIONS) and statement not in seen:
                    seen.add(statement)
                    yield from self._named_in(source, statement, seen)


def _has(module: ModuleType, provider: Any) -> bool:
    return any(value is provider for value in tuple(vars(module).values()))


def _names_given(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [target.id for target in targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case _:
            return []


def _is_watch(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "watch"


def _in_order(root: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree in source order; ``ast.walk`` is breadth first."""
    waiting: list[ast.AST] = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(list(ast.iter_child_nodes(node))))


def _value_of(node: ast.AST, module: ModuleType) -> object:
    """Return the value of a name, or of a module's attribute, at the top level of a module; None if undefined."""
    match node:
        case ast.Name(id=name):
            return vars(module).get(name)
        case ast.Attribute(value=ast.Name(id=owner), attr=name):
            other = vars(module).get(owner)
            return vars(other).get(name) if type(other) is ModuleType else None
        case _:
            return None
