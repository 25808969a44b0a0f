"""Every error that tetherpy raises is a ``TetherError``, so an app can catch all of them by one name.

Python's own exceptions remain where a protocol of Python asks for them, and inside a module that catches them.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import tetherpy
from tests.laws.imports import modules, tree_of
from tetherpy.errors import PortableError, TetherError

PROTOCOLS = {
    "__getattr__": "AttributeError",
    "__setattr__": "AttributeError",
    "__delattr__": "AttributeError",
    "__getitem__": "IndexError",
}
"""The exception that a special method raises by Python's data model."""

ALWAYS = {"AssertionError", "BaseExceptionGroup", "ExceptionGroup"}
"""A line that is never reached, and groups of errors that callbacks raised."""

CAUGHT = {
    ("tetherpy.database.sqlite.changes.inotify", "OSError"): "an error of libc; the change feed polls instead",
    ("tetherpy.database.sqlite.changes.watcher_choice", "OSError"): "as above, on a system without such a call",
    ("tetherpy.json_codec.json_types", "TypeError"): "a hook of msgspec; becomes a JsonError",
    ("tetherpy.jobs.storage.values", "TypeError"): "becomes an UnreadableJobError",
    ("tetherpy.facades", "AttributeError"): "a __getattr__",
    ("tetherpy.ui.web.server", "OSError"): "the address is in use, as bind() reports it",
}
"""Modules that raise an exception of Python, and its reason."""

SIGNALS = {"CancelJob", "DoNotRetry", "Snooze"}
"""Exceptions that the app raises."""

INTERNAL = {"PortableError", "ReaderGoneError", "TooDeepError"}
"""Exceptions that never leave the library, and the base of all."""


class Raise(NamedTuple):
    """A ``raise`` of an exception of Python, and the function that has it."""

    module: str
    line: int
    function: str
    error: str

    def is_allowed(self) -> bool:
        return self.error in ALWAYS or PROTOCOLS.get(self.function) == self.error or (self.module, self.error) in CAUGHT


def raises_in(module: str, tree: ast.AST, function: str = "") -> Iterator[Raise]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from raises_in(module, node, node.name)
            continue
        if isinstance(node, ast.Raise) and node.exc is not None:
            name = ast.unparse(node.exc.func if isinstance(node.exc, ast.Call) else node.exc)
            # Without a message NotImplementedError marks an abstract method.
            is_abstract = name == "NotImplementedError" and not isinstance(node.exc, ast.Call)
            if is_exception_of_python(name) and not is_abstract:
                yield Raise(module, node.lineno, function, name)
        yield from raises_in(module, node, function)


def is_exception_of_python(name: str) -> bool:
    found = getattr(builtins, name, None)
    return inspect.isclass(found) and issubclass(found, BaseException)


@cache
def all_raises() -> list[Raise]:
    return [found for name, path in modules().items() for found in raises_in(name, tree_of(path))]


def test_no_exception_of_python_is_raised() -> None:
    broken = [found for found in all_raises() if not found.is_allowed()]
    assert not broken, "\n".join(f"{found.module}:{found.line} raises {found.error}" for found in broken)


def test_no_attrs_validator_raises_an_error_of_python() -> None:
    # optional() only calls another validator.
    broken = [name for name, path in modules().items() if re.search(r"\bvalidators\.(?!optional)", path.read_text())]
    assert not broken, f"{broken}: attrs.validators raise ValueError; raise an ArgumentError in a function"


def test_every_exception_class_is_a_tether_error() -> None:
    for module in pkgutil.walk_packages(tetherpy.__path__, "tetherpy."):
        if module.name.endswith("__main__") or ".templates" in module.name:
            continue
        for name, kind in vars(importlib.import_module(module.name)).items():
            if inspect.isclass(kind) and issubclass(kind, BaseException) and kind.__module__ == module.name:
                assert issubclass(kind, TetherError) or name in INTERNAL | SIGNALS, f"{module.name}.{name}"
                assert name not in SIGNALS or issubclass(kind, PortableError), f"{module.name}.{name}"


def test_every_listed_exception_is_used() -> None:
    found = all_raises()
    assert set(CAUGHT) <= {(raised.module, raised.error) for raised in found}
    assert set(PROTOCOLS.values()) <= {raised.error for raised in found}
