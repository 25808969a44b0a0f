"""README, docs, examples and generated code do each thing in one way; see docs/reference/api-conventions.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.laws.imports import LIBRARY, ROOT

BLOCK = re.compile(r"^```python[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)


class Way(NamedTuple):
    """A second way to do a thing, the preferred way, and the files that may show it."""

    pattern: str
    instead: str
    explained_in: frozenset[str] = frozenset()


WAYS = {
    "job tables as migrations": Way(r"\bJOB_MIGRATIONS\b", "open_database(address)"),
    "one engine": Way(
        r"\bDatabase\.open\(",
        "open_database(address) or BackgroundJobManager.open(address)",
        frozenset({"docs/explanation/durability.md"}),
    ),
    "open_engine": Way(r"\bopen_engine\(", "BackgroundJobManager.open(address)"),
    "imports from the packages behind the root": Way(
        r"^\s*from tetherpy\.(?:database|durable|jobs|reactive|service)\b", "from tetherpy import ..."
    ),
    "a manager from the provider of a database": Way(
        r"BackgroundJobManager\((?:await )?ref\.",
        "ref.enter_async(BackgroundJobManager.open(address))",
        frozenset({"providers/background_jobs.py", "tetherpy/generator/templates/providers/background_jobs.txt"}),
    ),
    "enqueue through the service": Way(
        r"\.job\(", "manager.enqueue(definition, payload)", frozenset({"examples/seed/app.py"})
    ),
    "workers that are started and stopped by hand": Way(
        r"\bservice\.(?:start|stop)\(",
        "async with BackgroundService(...)",
        frozenset({"examples/demo/__main__.py"}),
    ),
    "wait for a job": Way(
        r"\.wait_for\(",
        "manager.result(job_id, timeout=10)",
        frozenset({"docs/how-to/write-handlers.md", "examples/demo/__main__.py"}),
    ),
    "a status as a member": Way(
        r"\bBackgroundJobStatus\.[A-Z]",
        'its text, such as "FAILED"',
        frozenset(
            {
                "docs/reference/api-conventions.md",
                "docs/reference/job-states.md",
                "examples/demo/__main__.py",
                "examples/seed/app.py",
            }
        ),
    ),
    "a provider of a function with a name": Way(
        r"(?<!of )\b(?:Future|State|Stream)?Provider(?:\.[a-z_]+)*\((?!lambda)[a-z]\w*[,)]",
        "@Provider over the function",
    ),
    "a container in a test": Way(r"\bProviderContainer\.test\(", "the fixture make_container"),
    "keys as text": Way(
        r"""(?:\.enqueue|\.job|NewJob)\(\s*(?:job_key=)?["']""",
        "manager.enqueue(definition, payload), with a JobDefinition",
        frozenset(
            {
                "docs/how-to/use-with-django.md",  # the tasks of Django
                "docs/how-to/write-handlers.md",
                "examples/seed/app.py",
            }
        ),
    ),
    "handlers without a definition": Way(
        r"\.register_job_handler\(",
        "@definition.handler and service.register_jobs(definition)",
        frozenset({"examples/seed/worker.py"}),
    ),
    "closing by hand": Way(
        r"^\s*try:\s*$(?:(?!^\s*finally:).)*^\s*finally:\s*$\s*await \w+\.aclose\(\)",
        "async with",
    ),
}


def texts() -> Iterator[tuple[str, str]]:
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        if "decisions" not in path.parts:
            yield str(path.relative_to(ROOT)), "\n".join(BLOCK.findall(path.read_text()))
    for folder in ("examples", "providers"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), path.read_text()
    for path in sorted((LIBRARY / "generator" / "templates").rglob("*.txt")):
        yield str(path.relative_to(ROOT)), path.read_text()


@pytest.mark.parametrize("way", WAYS)
def test_a_thing_is_done_in_one_way(way: str) -> None:
    second = WAYS[way]
    found = {name for name, text in texts() if re.search(second.pattern, text, re.MULTILINE | re.DOTALL)}
    assert sorted(found - second.explained_in) == [], f"write {second.instead}"
    assert sorted(second.explained_in - found) == [], "these files no longer show it: remove them from the list"


def test_docs_examples_and_templates_are_read() -> None:
    names = [name for name, _ in texts()]
    assert {name.split("/")[0] for name in names} == {"README.md", "docs", "examples", "providers", "tetherpy"}
