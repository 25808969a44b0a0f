"""An app needs one import: ``tetherpy`` has every name that the docs import from the packages below the user interface.

It also has every error of these packages, because an app may catch any of them.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

import tetherpy
from tests.laws.imports import ROOT
from tetherpy.errors import TetherError

APP_PACKAGES = [f"tetherpy.{name}" for name in ("database", "durable", "errors", "jobs", "reactive", "service")]
BLOCK = re.compile(r"^```python[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)


class Use(NamedTuple):
    """A name that a page or an example imports from a package."""

    package: str
    name: str
    path: Path


def texts() -> Iterator[tuple[Path, str]]:
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        for text in BLOCK.findall(path.read_text()):
            yield path, text
    for folder in ("examples", "providers"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path, path.read_text()


def uses() -> list[Use]:
    return [
        Use(node.module, alias.name, path)
        for path, text in texts()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ImportFrom) and node.module in {"tetherpy", *APP_PACKAGES}
        for alias in node.names
    ]


def test_every_name_that_the_docs_import_is_a_name_of_tetherpy() -> None:
    missing = sorted({use.name for use in uses()} - set(tetherpy.__all__))
    assert not missing, f"add {missing} to tetherpy/__init__.py: the docs import them"


@pytest.mark.parametrize("package", APP_PACKAGES)
def test_every_error_is_a_name_of_tetherpy(package: str) -> None:
    module = import_module(package)
    errors = {
        name
        for name in getattr(module, "__all__", vars(module))
        if inspect.isclass(value := getattr(module, name)) and issubclass(value, TetherError)
    }
    missing = sorted(errors - set(tetherpy.__all__))
    assert not missing, f"add {missing} of {package} to tetherpy/__init__.py: an app may catch them"


def test_every_name_is_an_object_of_a_public_package() -> None:
    packages = [import_module(package) for package in APP_PACKAGES]
    for name in tetherpy.__all__:
        assert any(getattr(tetherpy, name) is vars(package).get(name) for package in packages), name


def test_pages_and_examples_are_read() -> None:
    assert len(uses()) > 100
    assert {use.path.suffix for use in uses()} == {".md", ".py"}
