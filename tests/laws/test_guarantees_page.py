"""Every guarantee in the documentation names a test that exists."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "reference" / "guarantees.md"
ROW = re.compile(r"^\| (?!---|hazard)(.+?) \| .+ \| (.+) \|$", re.MULTILINE)
ROWS = dict(ROW.findall(PAGE.read_text()))


@cache
def functions_of(file):
    tree = ast.parse((TESTS / file).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("hazard", ROWS)
def test_the_named_test_exists(hazard):
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", ROWS[hazard])
    assert named
    for file, name in named:
        assert name in functions_of(file)
