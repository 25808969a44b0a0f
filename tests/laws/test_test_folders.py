"""CONTRIBUTING describes every folder of tests, and unit tests start no service, server or browser."""

from __future__ import annotations

import ast
import re

from tests.laws.imports import ROOT, nodes_of

TESTS = ROOT / "tests"
FIXTURES = {"browser", "empty_tables_url", "job_server", "postgres_url", "session_database", "shared_service"}
"""Fixtures that start a service, a server or a browser."""


def test_contributing_describes_every_folder() -> None:
    described = set(re.findall(r"^\| `tests/(\w+)/`", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE))
    assert described == {path.name for path in TESTS.iterdir() if any(path.rglob("*.py"))}


def test_unit_tests_use_no_fixture_that_starts_a_service_a_server_or_a_browser() -> None:
    used = [
        f"{path.relative_to(ROOT)}:{node.lineno} uses {argument.arg}"
        for path in sorted((TESTS / "unit").rglob("*.py"))
        for node in nodes_of(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
        for argument in node.args.args
        if argument.arg in FIXTURES
    ]
    assert used == []


def test_unit_tests_enter_no_background_service() -> None:
    entered = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted((TESTS / "unit").rglob("*.py"))
        for node in nodes_of(path)
        if isinstance(node, ast.AsyncWith)
        for item in node.items
        if ast.unparse(item.context_expr).startswith("BackgroundService(")
    ]
    assert entered == []
