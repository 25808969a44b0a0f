"""The graph of declared providers, without a container."""

import importlib
import sys
import textwrap

import pytest

import providers
from tetherpy.ui.graph import declared_graph, to_text


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Import modules from source texts and return the one called ``app``."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(**texts):
        for name, text in texts.items():
            path = tmp_path.joinpath(*name.split("__")).with_suffix(".py")
            path.parent.mkdir(exist_ok=True)
            path.write_text(textwrap.dedent(text))
            monkeypatch.delitem(sys.modules, name.replace("__", "."), raising=False)
        return importlib.import_module("app")

    yield make
    for name in ("app", "base", "package", "package.inner"):
        sys.modules.pop(name, None)


def edges_of(graph):
    names = {node.id: node.name for node in graph.nodes}
    return {(names[edge.user], names[edge.source], edge.watches) for edge in graph.edges}


def test_generated_providers_are_found_through_their_package():
    graph = declared_graph(providers)
    streams = ("job_counts_stream", "job_stream", "jobs_by_status_stream", "pending_jobs_stream")
    users = {
        "database_path": ("database", "background_service"),
        "database": ("background_job_manager",),
        "background_service": ("service_state_stream",),
        "background_job_manager": streams,
    }
    assert edges_of(graph) == {
        (f"{user}_provider", f"{source}_provider", True) for source, found in users.items() for user in found
    }
    assert {node.kind for node in graph.nodes} == {"Provider", "StreamProvider", "FutureProvider", "Family"}
    assert all(node.state is node.value is node.reason is node.listeners is None for node in graph.nodes)


def test_every_use_of_a_provider_is_an_edge(module):
    graph = declared_graph(
        module(
            base="""
            from tetherpy import Provider, StateProvider

            number = StateProvider(lambda ref: 1, name="number")
            hidden = Provider(lambda ref: ref.watch(number), name="hidden")
            """,
            app="""
            import base
            from base import number
            from tetherpy import AsyncNotifier, AsyncNotifierProvider, FutureProvider, Provider

            by_lambda = Provider(lambda ref: ref.watch(number.select(str)), name="by_lambda")

            @Provider.family
            def by_family(ref, key):
                return ref.read(number) + key

            def helper(ref):
                return ref.watch(by_family(3))

            @FutureProvider.options(dependencies=[by_lambda])
            async def by_helper(ref):
                return helper(ref)

            class Notes(AsyncNotifier):
                async def build(self):
                    return await self.ref.watch(by_helper.future)

            notes = AsyncNotifierProvider(Notes)

            @Provider
            def by_module(ref):
                ref.invalidate(base.hidden)
                return ref.watch(base.hidden)

            @Provider
            def alone(ref):
                number = 2
                return alone
            """,
        )
    )
    assert edges_of(graph) == {
        ("by_lambda", "number", True),
        ("by_family", "number", False),
        ("by_helper", "by_lambda", False),
        ("by_helper", "by_family", True),
        ("Notes", "by_helper", True),
        ("by_module", "hidden", True),
        ("hidden", "number", True),
        ("alone", "number", False),
    }


def test_cycles_end(module):
    graph = declared_graph(
        module(
            app="""
            from tetherpy import Provider
            a = Provider(lambda ref: b, name="a")
            b = Provider(lambda ref: ref.watch(a), name="b")
            def one(ref): return two(ref)
            def two(ref): return one(ref) or ref.watch(a)
            c = Provider(one)
            """
        )
    )
    assert edges_of(graph) == {("a", "b", False), ("b", "a", True), ("one", "a", True)}


def test_providers_of_a_module_without_source_are_found(module, monkeypatch):
    app = module(app="from tetherpy import Provider\nvalue = Provider(lambda ref: 1, name='value')\n")
    monkeypatch.setattr("inspect.getsource", raise_os_error)
    assert to_text(declared_graph(app)) == "value (Provider)\n"


def raise_os_error(module):
    raise OSError("no source")


def test_a_module_without_providers_has_an_empty_graph(module):
    assert to_text(declared_graph(module(app="number = 1"), "app")) == "app: no providers\n"


def test_objects_with_false_attributes_are_omitted(module):
    graph = declared_graph(
        module(
            app="""
            from tetherpy import Provider

            class Liar:
                @property
                def __class__(self):
                    raise OSError("no class")
                def __eq__(self, other):
                    raise OSError("no comparison")
                __hash__ = None

            liar = Liar()
            value = Provider(lambda ref: ref.watch(liar), name="value")
            """
        )
    )
    assert [node.name for node in graph.nodes] == ["value"]
