"""The graph of the elements of a container."""

import pytest

from tests.unit.ui.graph.conftest import Hostile
from tetherpy import Provider, ProviderError, StateProvider
from tetherpy.ui.graph import Edge, live_graph, to_mermaid, to_text


def ignore(previous, value):
    pass


def test_a_live_graph_contains_dependencies_values_and_reasons(app):
    graph = live_graph(app, "app")
    assert [(node.name, node.kind) for node in graph.nodes] == [
        ("shout", "Provider"),
        ("greeting", "Provider"),
        ("name", "StateProvider"),
        ("user", "FutureProvider"),
    ]
    ids = {node.name: node.id for node in graph.nodes}
    assert set(graph.edges) == {
        Edge(ids["shout"], ids["greeting"]),
        Edge(ids["shout"], ids["name"]),
        Edge(ids["greeting"], ids["user"]),
        Edge(ids["user"], ids["name"]),
    }
    assert to_text(graph) == (
        "shout (Provider) = 'HELLO GRACE!Grace'\n"
        "  uses greeting, name\n"
        "  CLEAN; 0 listeners; built after a change of StateProvider(name) from 'Ada' to 'Grace'\n"
        "\n"
        "greeting (Provider) = 'Hello Grace!'\n"
        "  uses user\n"
        "  CLEAN; 0 listeners; built after a change of FutureProvider(user) from AsyncData({'name': 'Ada'}) to "
        "AsyncData({'name': 'Grace'})\n"
        "\n"
        "name (StateProvider) = 'Grace'\n"
        "  CLEAN; 0 listeners; built after its first read\n"
        "\n"
        "user (FutureProvider) = AsyncData({'name': 'Grace'})\n"
        "  uses name\n"
        "  CLEAN; 0 listeners; built after a change of StateProvider(name) from 'Ada' to 'Grace'\n"
    )


def test_reading_the_graph_changes_nothing(make_container):
    built = []
    number = StateProvider(lambda ref: 1)
    counted = Provider(lambda ref: built.append(ref.watch(number)))
    container = make_container()
    container.read(counted)
    with container.batch():
        container.read(number.notifier).state = 2
        states = {node.kind: node.state for node in live_graph(container).nodes}
        assert states == {"Provider": "DIRTY", "StateProvider": "CLEAN"}
        assert built == [1]


def test_a_live_graph_counts_listeners_and_names_errors(make_container):
    broken = Provider(lambda ref: 1 // 0, name="broken")
    number = StateProvider(lambda ref: 1, name="number")
    container = make_container()
    container.listen(number, ignore)
    container.listen(number.select(str), ignore)
    with pytest.raises(ProviderError):
        container.read(broken)
    nodes = {node.name: node for node in live_graph(container).nodes}
    assert nodes["number"].listeners == 2
    assert (nodes["broken"].state, nodes["broken"].listeners) == ("FAILED", 0)
    assert nodes["broken"].value.startswith("the error ZeroDivisionError(")


def test_an_empty_container_has_an_empty_graph(make_container):
    graph = live_graph(make_container(), "shop:container")
    assert to_text(graph) == "shop:container: no providers\n"
    assert to_mermaid(graph) == "flowchart LR\n"


def test_values_are_one_short_line(make_container):
    family = Provider.options(name="family").family(lambda ref, key: key)
    container = make_container()
    for text in (None, "a\nb\tc\x1b[31m\u202e\ud800", "x" * 10_000):
        container.read(family(Hostile(text)))
    first, second, third = live_graph(container).nodes
    assert first.name == "family(<Hostile, whose repr raised OSError>)"
    assert first.value == "<Hostile, whose repr raised OSError>"
    assert second.name == r"family(a b c\x1b[31m\u202e\ud800)"
    assert len(third.name) <= 200
    assert len(third.value) <= 200
    assert len(to_text(live_graph(container)).splitlines()) == 8
