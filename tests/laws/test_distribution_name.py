"""Whatever installs the library names its distribution, not the project of another owner on the index."""

from __future__ import annotations

import re
import subprocess
import tomllib

from tests.laws.imports import ROOT
from tetherpy.distribution import DISTRIBUTION

OTHER_PROJECT = re.compile(r"""\btetherpy\[\w|pip install (?:-\S+ )*['"]?tetherpy(?![\w-])""")
"""Requirements that an installer resolves to the project ``tetherpy`` of the index."""


def test_the_name_is_that_of_the_project_file() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["name"] == DISTRIBUTION


def test_no_file_tells_an_installer_the_name_of_the_other_project() -> None:
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    here = f"tests/laws/{__name__.rpartition('.')[2]}.py"
    texts = {name: (ROOT / name).read_text(errors="replace") for name in files if name and name != here}
    found = [f"{name}: {match[0]}" for name, text in texts.items() for match in OTHER_PROJECT.finditer(text)]
    assert found == []


def test_the_rule_finds_what_it_looks_for() -> None:
    wrong = ["tetherpy[web]", "pip install tetherpy", "pip install 'tetherpy'", "pip install --quiet tetherpy==1.0"]
    assert all(OTHER_PROJECT.search(text) for text in wrong)
    assert not OTHER_PROJECT.search("pip install 'tetherpy-jobs[web]' in a checkout of tetherpy")
