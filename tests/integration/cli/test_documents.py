"""``--json`` prints the documents of the reference: every field, in order, of its type, and no other."""

import json
import re
from datetime import datetime
from pathlib import Path

from tetherpy.cli.engine import REPORT
from tetherpy.jobs import CopyReport

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "command-line.md"
TYPES = {
    "integer": lambda value: type(value) is int,
    "number": lambda value: type(value) in (int, float),
    "text": lambda value: isinstance(value, str),
    "true or false": lambda value: isinstance(value, bool),
    "instant": lambda value: value.endswith("Z") and len(value) == 27 and datetime.fromisoformat(value),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "any": lambda value: True,
}


def described(name):
    """Return the fields of a document with their types, from the reference page."""
    (part,) = re.findall(rf"^### Document: {name}\n(.*?)(?=^##|\Z)", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    return dict(re.findall(r"^\| `(\w+)` \| ([\w ]+?) \|", part, re.MULTILINE))


def check(name, document):
    fields = described(name)
    assert list(document) == list(fields)
    for field, kind in fields.items():
        kind, nullable, _ = kind.partition(" or null")
        value = document[field]
        assert (value is None and (nullable or kind == "any")) or TYPES[kind](value), (field, kind, value)


def test_every_document_matches_its_description(command, enqueue, jobs):
    assert command("service", "start", "--callback", "shop:initialize").code == 0
    done = enqueue("greet", {"name": "world"}, unique_key="once", timeout=60, meta={"tenant": "7"})
    failed = enqueue("fail", max_attempts=1)
    for job in (done, failed):
        jobs(lambda manager, job=job: manager.wait_for(int(job), timeout=30))
    waiting = enqueue("wait")
    jobs(lambda manager: manager.enqueue("greet", delay=3600))

    def run(*arguments, code=0):
        ran = command(*arguments, "--json")
        assert ran.code == code, ran.err
        return json.loads(ran.out)

    for document in run("jobs", "list"):
        check("job", document)
    shown = run("jobs", "show", failed)
    for attempt in shown.pop("history"):
        check("attempt", attempt)
        assert attempt["traceback"].startswith("Traceback")
    check("job", shown)
    check("job", run("jobs", "enqueue", "greet", "--delay", "1h", "--meta", "tenant=8", "--meta", "trace=a=b"))
    (labelled,) = run("jobs", "list", "--meta", "trace=a=b", "--meta", "tenant=8")
    assert labelled["meta"] == {"tenant": "8", "trace": "a=b"}
    assert run("jobs", "list", "--meta", "tenant=8", "--meta", "trace=c") == []
    assert "KEY=VALUE" in command("jobs", "list", "--meta", "tenant").err
    check("job", run("jobs", "retry", failed)[0])
    check("job", run("jobs", "watch", done))
    check("job", run("jobs", "cancel", waiting)[0])
    check("deleted", run("jobs", "delete", done))
    check("stats", run("jobs", "stats"))
    check("service", run("service", "status"))
    check("service", run("service", "start", "--callback", "shop:initialize"))
    for document in run("migrate", "--list", "--migrations", "shop:MIGRATIONS"):
        check("migration", document)
    jobs(lambda manager: manager.wait_for(int(failed), timeout=30))
    command("service", "stop")
    check("service", run("service", "status", code=1))
    for document in run("doctor"):  # without writers: a slow worker may hold the lock
        check("finding", document)


def test_the_documents_of_an_app_and_of_its_graph_match_their_description(command, drawn):
    def run(*arguments):
        return json.loads(command(*arguments, "--json").out)

    made = run("init", "app")
    check("app", made)
    assert "app/main.py" in made["files"]
    (changed, *_) = changes = run("generate", "--config", "app/tether.yaml")
    assert changed == {"file": "app/providers/__init__.py", "change": "unchanged"}
    for change in changes:
        check("file", change)
    for target in ("drawn:make", "drawn"):
        graph = run("graph", target)
        check("graph", graph)
        assert graph["edges"]
        for node in graph["nodes"]:
            check("node", node)
        for edge in graph["edges"]:
            check("edge", edge)


def test_the_document_of_a_copy_matches_its_description():
    check("copy", REPORT.document(CopyReport(jobs=3, attempts=4, written=1, digest="0" * 64)))
