"""The generated functions that enqueue jobs, for definitions, for classes of payloads, and for neither."""

import subprocess
import sys

import pytest

from tetherpy.generator import BackgroundServices, JobDeclaration, providers_package

DEFINED = JobDeclaration("greet", "jobs:greet")
TYPED = JobDeclaration("resize", "images:Resize")
BARE = JobDeclaration("cleanUp")


@pytest.mark.parametrize(
    "jobs", [[DEFINED], [TYPED], [BARE], [DEFINED, TYPED], [DEFINED, BARE], [TYPED, BARE], [DEFINED, TYPED, BARE]]
)
def test_the_module_is_formatted_and_its_functions_are_in_the_facade(tmp_path, jobs):
    sources = providers_package(BackgroundServices(enabled=True, jobs=tuple(jobs)))
    texts = {path.name: text for path, text in sources.items()}
    (tmp_path / "jobs.py").touch()
    (tmp_path / "providers").mkdir()
    (tmp_path / "providers" / "jobs.py").write_text(texts["jobs.py"])
    for rule in (["format", "--check", "--diff"], ["check", "--select", "E,F,I,UP,TC004"]):
        argv = [sys.executable, "-m", "ruff", *rule, "--no-cache", "--isolated", "."]
        done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert not done.returncode, done.stdout + done.stderr
    for job in jobs:
        assert f'"{job.function}"' in texts["__init__.py"]
    assert ("enqueue_greet = jobs.greet.enqueue" in texts["jobs.py"]) == (DEFINED in jobs)
