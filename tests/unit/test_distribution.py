"""The requirement of a generated project names the place from which this library was installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tetherpy.distribution import installed_requirement, installed_version

CASES = {
    "from a checkout": (
        {"url": "file:///home/me/my%20code/tetherpy", "dir_info": {"editable": True}},
        "tetherpy-jobs[cli] @ file:///home/me/my%20code/tetherpy",
    ),
    "from an archive": (
        {"url": "https://example.org/tetherpy_jobs-1.2-py3-none-any.whl", "archive_info": {"hash": "sha256=00"}},
        "tetherpy-jobs[cli] @ https://example.org/tetherpy_jobs-1.2-py3-none-any.whl",
    ),
    "from a commit": (
        {"url": "https://example.org/tetherpy.git", "vcs_info": {"vcs": "git", "commit_id": "abc1"}},
        "tetherpy-jobs[cli] @ git+https://example.org/tetherpy.git@abc1",
    ),
    "from a folder of a repository": (
        {
            "url": "https://example.org/all.git",
            "subdirectory": "python/tetherpy",
            "vcs_info": {"vcs": "git", "commit_id": "abc1", "requested_revision": "main"},
        },
        "tetherpy-jobs[cli] @ git+https://example.org/all.git@abc1#subdirectory=python/tetherpy",
    ),
    "from a path with a space that was not quoted": (
        {"url": "file:///home/me/my code", "dir_info": {}},
        "tetherpy-jobs[cli] @ file:///home/me/my%20code",
    ),
    "from an index": (None, "tetherpy-jobs[cli]>=1.2"),
}


@pytest.mark.parametrize(("record", "requirement"), CASES.values(), ids=CASES)
def test_the_requirement_names_where_the_installation_came_from(
    record: dict[str, Any] | None, requirement: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "tetherpy_jobs-1.2.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: tetherpy-jobs\nVersion: 1.2\n")
    if record is not None:
        (installed / "direct_url.json").write_text(json.dumps(record))
    monkeypatch.syspath_prepend(str(tmp_path))
    assert installed_requirement("cli") == requirement
    assert installed_version() == "1.2"
