"""Run mypy --strict and pyright over the declarations that must be inferred, and the uses that must be refused."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
RIGHT = sorted((ROOT / "tests" / "typing").glob("*.py"))
WRONG = Path(__file__).with_name("wrong_uses.py")


def run(*command: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    ).stdout


def mypy() -> dict[Path, dict[int, str]]:
    """Return the errors that mypy finds in all files, by line."""
    output = run("mypy", "--strict", "--no-error-summary", "--hide-error-context", *map(str, RIGHT), str(WRONG))
    found: dict[Path, dict[int, str]] = {path: {} for path in (*RIGHT, WRONG)}
    for path, line, message in re.findall(r"^(.+?):(\d+): error: (.*)$", output, re.MULTILINE):
        found.setdefault(ROOT / path, {})[int(line)] = message
    return found


def pyright() -> dict[Path, dict[int, str]]:
    """Return the errors that pyright finds in all files, by line."""
    report = json.loads(run("pyright", "--outputjson", *map(str, RIGHT), str(WRONG)))
    assert report["summary"]["filesAnalyzed"] == len(RIGHT) + 1
    found: dict[Path, dict[int, str]] = {path: {} for path in (*RIGHT, WRONG)}
    for entry in report["generalDiagnostics"]:
        if entry["severity"] == "error":
            found[Path(entry["file"])][entry["range"]["start"]["line"] + 1] = entry["message"]
    return found


CHECKERS = {"mypy": mypy, "pyright": pyright}


@pytest.fixture(scope="module", params=CHECKERS)
def errors(request: pytest.FixtureRequest) -> dict[Path, dict[int, str]]:
    return CHECKERS[request.param]()


def test_the_type_of_every_form_of_declaration_is_inferred(errors: dict[Path, dict[int, str]]) -> None:
    assert {path: errors[path] for path in RIGHT if errors[path]} == {}


def test_every_wrong_use_is_an_error_and_nothing_else_is(errors: dict[Path, dict[int, str]]) -> None:
    lines = WRONG.read_text().splitlines()
    wrong = {number for number, line in enumerate(lines, start=1) if line.endswith("# wrong")}
    assert len(wrong) == 42
    accepted = {number: lines[number - 1] for number in wrong - errors[WRONG].keys()}
    assert not accepted, f"accepted: {accepted}"
    refused = {number: message for number, message in errors[WRONG].items() if number not in wrong}
    assert not refused


def test_no_type_error_is_reported_inside_the_library(errors: dict[Path, dict[int, str]]) -> None:
    assert set(errors) == {*RIGHT, WRONG}
