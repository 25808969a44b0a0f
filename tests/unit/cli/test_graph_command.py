"""``tetherpy graph``: each output format, and each error."""

import json
import sys
from xml.etree import ElementTree

import pytest

from tetherpy.cli.app import main

APP = """
import asyncio
from tetherpy import Provider, ProviderContainer, StateProvider

name = StateProvider(lambda ref: "Ada", name="name")

@Provider
def greeting(ref):
    return f"Hello {ref.watch(name)}\\t\\x1b[31m"

container = ProviderContainer()
container.read(greeting)
empty = ProviderContainer()
gone = ProviderContainer()
gone.dispose()

@Provider
def stuck(ref):
    ref.on_dispose(lambda: 1 // 0)

def make():
    made.append(ProviderContainer())
    made[-1].read(greeting)
    return made[-1]

async def make_later():
    await asyncio.sleep(0)
    return make()

def make_stuck():
    container = ProviderContainer()
    container.read(stuck)
    return container

def fail():
    raise ValueError("not\\ntoday")

class Makers:
    def make():
        return make()

made = []
number = 3
"""


@pytest.fixture
def graph(tmp_path, monkeypatch, capfd):
    """Run the command in a folder with an app; return its exit code, stdout and stderr."""
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "broken.py").write_text("1 // 0")
    (tmp_path / "exits.py").write_text("raise SystemExit(3)")
    (tmp_path / "wrong.py").write_text("def")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = {*sys.modules}

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["tetherpy", "graph", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, *capfd.readouterr()

    yield run
    for name in {*sys.modules} - before:
        if name in ("app", "broken", "exits", "wrong"):
            del sys.modules[name]


@pytest.mark.parametrize("target", ["app:container", "app:make", "app:make_later", "app:Makers.make"])
def test_a_pipe_gets_one_stable_line_per_provider(graph, target):
    code, out, err = graph(target)
    assert (code, err) == (0, "")
    assert out == (
        "greeting\tProvider\tCLEAN\t0\tname\t'Hello Ada\\t\\x1b[31m'\tits first read\n"
        "name\tStateProvider\tCLEAN\t0\t\t'Ada'\tits first read\n"
    )


def test_a_module_without_a_container_is_drawn_from_its_declarations(graph):
    code, out, _ = graph("app")
    assert code == 0
    assert out == "name\tStateProvider\t\t\t\t\t\ngreeting\tProvider\t\t\tname\t\t\nstuck\tProvider\t\t\t\t\t\n"


def test_the_container_is_disposed_at_the_end(graph):
    graph("app:make")
    (made,) = sys.modules["app"].made
    assert made.disposed


def test_json_contains_all_details(graph):
    code, out, _ = graph("app:make", "--json")
    assert code == 0
    assert json.loads(out) == {
        "title": "app:make",
        "nodes": [
            {
                "id": "n0",
                "name": "greeting",
                "kind": "Provider",
                "state": "CLEAN",
                "value": "'Hello Ada\\t\\x1b[31m'",
                "reason": "its first read",
                "listeners": 0,
            },
            {
                "id": "n1",
                "name": "name",
                "kind": "StateProvider",
                "state": "CLEAN",
                "value": "'Ada'",
                "reason": "its first read",
                "listeners": 0,
            },
        ],
        "edges": [{"user": "n0", "source": "n1", "watches": True}],
    }


def test_a_terminal_gets_paragraphs(graph, monkeypatch):
    monkeypatch.setattr("tetherpy.cli.graph.is_terminal", lambda: True)
    code, out, _ = graph("app:make")
    assert code == 0
    assert out.startswith("greeting (Provider) = 'Hello Ada")
    assert "\n  uses name\n  CLEAN; 0 listeners; built after its first read\n\nname (StateProvider)" in out


def test_drawings_are_written_to_the_given_file(graph, tmp_path):
    assert graph("app:make", "--format", "mermaid")[1].startswith("flowchart LR\n    n0[")
    assert graph("app:make", "--format", "svg", "--output", "graph.svg") == (0, "", "")
    assert ElementTree.parse(tmp_path / "graph.svg").getroot().get("role") == "img"
    assert graph("app", "-o", "lines") == (0, "", "")
    assert len((tmp_path / "lines").read_text().splitlines()) == 3


def test_an_empty_container_is_not_an_error(graph):
    assert graph("app:empty") == (0, "", "")


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("nope", "importing nope raised ModuleNotFoundError: No module named 'nope'"),
        ("broken", "importing broken raised ZeroDivisionError: "),
        ("exits:container", "importing exits raised SystemExit: 3"),
        ("wrong", "importing wrong raised SyntaxError: "),
        ("app:none", "app has no none"),
        ("app:Makers.none", "app has no Makers.none"),
        ("app:number", "it is a int, neither a ProviderContainer nor a function that returns one"),
        ("app:greeting", "it is a Provider, neither"),
        ("app:fail", "calling it raised ValueError: not today"),
        ("app:make_stuck", "disposing it raised ZeroDivisionError("),
        ("app:", "it is not of the form"),
        (":container", "it is not of the form"),
        ("..app", "importing ..app raised "),
        ("app.py:container", "it is a file name"),
    ],
)
def test_an_unsupported_drawing_is_a_one_line_error(graph, target, reason):
    code, out, err = graph(target)
    assert (code, out) == (1, "")
    assert err.startswith(f"error: {target!r} cannot be drawn: {reason}")
    assert err.count("\n") == 1


def test_other_errors_are_one_line_too(graph):
    code, _, err = graph("app:gone")
    assert (code, err.count("\n")) == (1, 1)
    assert graph("app", "-o", "nowhere/graph") == (1, "", "error: nowhere/graph: No such file or directory\n")
    code, _, err = graph("app", "--format", "png")
    assert (code, err.count("\n")) == (2, 1)
    code, _, err = graph("app", "--json", "--format", "svg")
    assert (code, err.count("\n")) == (2, 1)
