"""Run type checkers over the project, the declarations that must be inferred, and the uses that must be refused.

Each checker runs once: what it learns of the libraries takes most of its time.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.doc_pages import FILE, PAGES, blocks_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
TYPING = ROOT / "tests" / "typing"
JOBS = (TYPING / "test_job_types.py", TYPING / "wrong" / "job_uses.py", TYPING / "test_sync_types.py")
FOLDERS = ("tetherpy", "providers", "examples", "tests/typing")
"""The folders that the settings of mypy and pyright name."""
WRONG = tuple(sorted((TYPING / "wrong").glob("*.py")))
ALL = tuple(path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")))
USES = {
    JOBS[1]: 74,
    TYPING / "wrong" / "facade_names.py": 9,
    TYPING / "wrong" / "handler_services.py": 8,
    TYPING / "wrong" / "reactive_uses.py": 42,
}
"""The number of wrong uses in each file."""


def run(*command: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False, timeout=500
    ).stdout


def in_lines(pattern: str, output: str, files: tuple[Path, ...]) -> dict[Path, dict[int, str]]:
    """Return the errors of a checker that writes one per line, by file and line."""
    found: dict[Path, dict[int, str]] = {file: {} for file in files}
    for path, line, message in re.findall(pattern, output, re.MULTILINE):
        found.setdefault(ROOT / path, {})[int(line)] = message
    return found


def mypy() -> dict[Path, dict[int, str]]:
    # The settings exclude the wrong uses from folders.
    output = run("mypy", "--no-error-summary", "--hide-error-context", *FOLDERS, *map(str, WRONG))
    return in_lines(r"^(.+?):(\d+): error: (.*)$", output, ALL)


def pyrefly() -> dict[Path, dict[int, str]]:
    # The third opinion on jobs; the reactive core relies on inference that it does not have.
    output = run("pyrefly", "check", "--preset", "strict", "--output-format", "min-text", *map(str, JOBS))
    return in_lines(r"^ *ERROR (.+?):(\d+):\S+: (.*)$", output, JOBS)


def pyright() -> dict[Path, dict[int, str]]:
    report = json.loads(run("pyright", "--outputjson", *FOLDERS))
    assert report["summary"]["filesAnalyzed"] == len(ALL)
    found: dict[Path, dict[int, str]] = {file: {} for file in ALL}
    for entry in report["generalDiagnostics"]:
        if entry["severity"] == "error":
            found[Path(entry["file"])][entry["range"]["start"]["line"] + 1] = entry["message"]
    return found


UNTYPED = {
    "generate-providers": "its modules are generated",
    "many-machines": "its modules are generated",
    "use-with-django": "Django has no types",
    "use-in-marimo": "marimo writes cells without annotations",
    "use-in-jupyter": "the last expression of a cell is its output",
}
"""The pages whose programs a type checker cannot read, and why."""


CHECKERS = {"mypy": mypy, "pyrefly": pyrefly, "pyright": pyright}


@pytest.fixture(scope="module", params=CHECKERS)
def errors(request: pytest.FixtureRequest) -> dict[Path, dict[int, str]]:
    return CHECKERS[request.param]()


def test_the_project_has_no_errors_and_every_form_of_declaration_is_inferred(
    errors: dict[Path, dict[int, str]],
) -> None:
    assert {path: found for path, found in errors.items() if path not in WRONG and found} == {}


def test_every_wrong_use_is_refused_and_nothing_else(errors: dict[Path, dict[int, str]]) -> None:
    checked = errors.keys() & USES.keys()
    assert JOBS[1] in checked
    for path in checked:
        lines = path.read_text().splitlines()
        wrong = {number for number, line in enumerate(lines, start=1) if line.endswith("# wrong")}
        assert len(wrong) == USES[path]
        accepted = {number: lines[number - 1] for number in wrong - errors[path].keys()}
        assert not accepted, f"accepted: {accepted}"
        refused = {number: message for number, message in errors[path].items() if number not in wrong}
        assert not refused


def test_errors_are_only_in_the_files_of_wrong_uses(errors: dict[Path, dict[int, str]]) -> None:
    assert {path for path, found in errors.items() if found} <= USES.keys()


def test_the_programs_of_the_docs_have_no_errors(tmp_path: Path) -> None:
    pages = [page for page in PAGES if page.stem not in UNTYPED]
    assert len(PAGES) - len(pages) == len(UNTYPED)
    written = [folder for page in pages if (folder := write_programs(page, tmp_path / page.stem)).exists()]
    settings = {
        "typeCheckingMode": "strict",
        "reportUnknownMemberType": False,  # of other libraries
        "reportUnknownVariableType": False,
        "reportUnusedImport": False,  # Django and handlers are imported for their effect
        "pythonVersion": "3.11",
        "venvPath": str(ROOT),
        "venv": ".venv",
        "executionEnvironments": [{"root": str(folder), "extraPaths": [str(ROOT)]} for folder in written],
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    found = json.loads(run("pyright", "--outputjson", "--project", str(tmp_path)))["generalDiagnostics"]
    assert len(written) >= 39
    errors = [
        f"{Path(error['file']).relative_to(tmp_path)}:{error['range']['start']['line'] + 1}: {error['message']}"
        for error in found
        if "async" not in error["message"] or "rule" in error  # a page may await outside functions
    ]
    assert not errors, "\n".join(errors)


def write_programs(page: Path, folder: Path) -> Path:
    """Write the files of a page, and its other blocks as one program."""
    program = ""
    for kind, text in blocks_of(page):
        named = FILE.match(text)
        if kind == "python" and named:
            (folder / named[1]).parent.mkdir(parents=True, exist_ok=True)
            (folder / named[1]).write_text(text)
        elif kind == "python":
            program += text
    if program:
        folder.mkdir(exist_ok=True)
        (folder / "program_of_the_page.py").write_text(program)
    return folder
