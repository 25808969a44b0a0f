"""Mermaid and SVG output, with all values escaped."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from tests.unit.ui.graph.conftest import Hostile
from tetherpy import Provider
from tetherpy.ui.graph import MOST_DRAWN, Edge, Graph, GraphTooLargeError, Node, live_graph, to_mermaid, to_svg
from tetherpy.ui.graph.layout import lay_out

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    '"]; click n0 "javascript:alert(1)"',
    "</text></svg><script>alert(1)</script>",
    "`**bold**` &lt; #quot; %%{init: {}}%% <br/>",
    "]]> <!-- & --> \x00\x08\ufffe\uffff\ud800\U0001f600",
]


def graph_of(*edges):
    names = dict.fromkeys(name for edge in edges for name in edge)
    return Graph(
        "g", tuple(Node(id=name, name=name, kind="Provider") for name in names), tuple(Edge(*edge) for edge in edges)
    )


def test_mermaid_output_has_nodes_and_edges(app):
    assert to_mermaid(live_graph(app)) == (
        "flowchart LR\n"
        "    n0[\"shout<br/>Provider<br/>'HELLO GRACE#33;Grace'<br/>after a change of StateProvider(name) "
        "from 'Ada' to 'Grace'\"]\n"
        "    n1[\"greeting<br/>Provider<br/>'Hello Grace#33;'<br/>after a change of FutureProvider(user) from "
        "AsyncData({'name': 'Ada'}) to AsyncData({'name': 'Grace'})\"]\n"
        "    n2[\"name<br/>StateProvider<br/>'Grace'<br/>after its first read\"]\n"
        "    n3[\"user<br/>FutureProvider<br/>AsyncData({'name': 'Grace'})<br/>after a change of StateProvider(name) "
        "from 'Ada' to 'Grace'\"]\n"
        "    n1 --> n0\n"
        "    n2 --> n0\n"
        "    n3 --> n1\n"
        "    n2 --> n3\n"
    )


def test_mermaid_marks_errors_and_unwatched_providers():
    nodes = (Node(id="n0", name="a", kind="Provider", state="FAILED"), Node(id="n1", name="b", kind="Provider"))
    assert to_mermaid(Graph("g", nodes, (Edge("n1", "n0", watches=False),))) == (
        "flowchart LR\n"
        '    n0["a<br/>Provider"]\n'
        '    n1["b<br/>Provider"]\n'
        "    n0 -.-> n1\n"
        "    classDef failed stroke:#c62828,stroke-width:2px\n"
        "    class n0 failed\n"
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_escaped(make_container, text):
    family = Provider.options(name="family").family(lambda ref, key: key)
    container = make_container()
    container.read(family(Hostile(text)))
    graph = live_graph(container, text)

    (line,) = (line for line in to_mermaid(graph).splitlines() if line.startswith("    n0"))
    label = re.fullmatch(r'    n0\["(.*)"\]', line).group(1).replace("<br/>", "")
    assert not set(label) & set('"<>`&\\%')

    drawn = ElementTree.fromstring(to_svg(graph))
    assert {element.tag.removeprefix(SVG) for element in drawn.iter()} <= {
        *("svg", "title", "desc", "style", "defs", "marker", "path", "g", "rect", "text")
    }
    shown = [element.text for element in drawn.iter(f"{SVG}text")]
    assert shown[0].startswith(graph.nodes[0].name[:20])
    to_svg(graph).encode()


def test_svg_has_a_box_per_provider_and_an_arrow_per_dependency(app):
    drawn = ElementTree.fromstring(to_svg(live_graph(app, "app")))
    boxes = {
        group.find(f"{SVG}text").text: {key: float(value) for key, value in group.find(f"{SVG}rect").attrib.items()}
        for group in drawn.iter(f"{SVG}g")
    }
    assert drawn.find(f"{SVG}title").text == "app"
    assert set(boxes) == {"name", "user", "greeting", "shout"}
    order = sorted(boxes, key=lambda name: boxes[name]["x"])
    assert order == ["name", "user", "greeting", "shout"]
    for left, right in pairwise(order):
        assert boxes[left]["x"] + boxes[left]["width"] < boxes[right]["x"]
    arrows = [path for path in drawn.findall(f"{SVG}path") if path.get("marker-end")]
    assert len(arrows) == 4
    width, height = float(drawn.get("width")), float(drawn.get("height"))
    assert all(box["x"] + box["width"] <= width and box["y"] + box["height"] <= height for box in boxes.values())
    tooltips = [group.find(f"{SVG}title").text for group in drawn.iter(f"{SVG}g")]
    assert "StateProvider name; = 'Grace'; built after its first read" in tooltips
    style = drawn.find(f"{SVG}style").text
    assert "prefers-color-scheme: dark" in style


def test_boxes_and_passing_edges_of_a_column_do_not_overlap():
    chain = [("b", "a"), ("c", "b"), ("d", "c"), ("d", "a"), ("c", "a"), ("e", "a"), ("e", "d")]
    layout = lay_out("abcde", ((source, user) for user, source in chain))
    assert [[slot.node for slot in column if slot.node] for column in layout.columns] == [
        ["a"],
        ["b"],
        ["c"],
        ["d"],
        ["e"],
    ]
    assert [len(column) for column in layout.columns] == [1, 4, 3, 2, 1]
    for column in layout.columns:
        assert len({slot.row for slot in column}) == len(column)
    assert [slot.column for slot in layout.routes["a", "e"]] == [0, 1, 2, 3, 4]


def test_avoidable_crossings_are_avoided():
    layout = lay_out(["a", "b", "c", "x", "y", "z"], [("a", "z"), ("b", "y"), ("c", "x")])
    first, second = ([slot.node for slot in column] for column in layout.columns)
    assert [{"a": "z", "b": "y", "c": "x"}[name] for name in first] == second


def test_cycles_and_self_dependencies_are_drawn():
    graph = graph_of(("a", "b"), ("b", "c"), ("c", "a"), ("d", "d"), ("d", "a"))
    drawn = ElementTree.fromstring(to_svg(graph))
    assert len(list(drawn.iter(f"{SVG}g"))) == 4
    assert len([path for path in drawn.findall(f"{SVG}path") if path.get("marker-end")]) == 4


def test_the_number_of_boxes_is_limited():
    nodes = tuple(Node(id=f"n{number}", name="x", kind="Provider") for number in range(MOST_DRAWN + 1))
    with pytest.raises(GraphTooLargeError, match=r"501 providers and 0 arrows.*--format text or mermaid"):
        to_svg(Graph("g", nodes, ()))
    ElementTree.fromstring(to_svg(Graph("g", nodes[:-1], ())))


def test_the_number_of_arrows_is_limited():
    names = [f"n{number}" for number in range(300)]
    with pytest.raises(GraphTooLargeError, match=r"300 providers and 44,850 arrows"):
        to_svg(graph_of(*((user, source) for number, user in enumerate(names) for source in names[:number])))


def test_a_deep_chain_is_drawn():
    names = [f"n{number}" for number in range(MOST_DRAWN)]
    edges = [*zip(names[1:], names, strict=False), (names[-1], names[0])]
    ElementTree.fromstring(to_svg(graph_of(*edges)))
