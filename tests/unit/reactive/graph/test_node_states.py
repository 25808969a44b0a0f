"""Nodes make only the transitions of the table, and the documentation shows that table."""

import asyncio
import re
from pathlib import Path

import pytest

from tetherpy import FutureProvider, Provider, ProviderContainer, ProviderError, StateProvider
from tetherpy.reactive.graph.element import Element
from tetherpy.reactive.graph.node_states import MOVES, NAMES, state_diagram

PAGE = Path(__file__).parents[4] / "docs" / "explanation" / "how-the-graph-works.md"

switch = StateProvider(lambda ref: 0, name="switch")
parity = Provider(lambda ref: ref.watch(switch) % 2, name="parity")


@Provider
def touchy(ref):
    if ref.watch(parity):
        raise ValueError("odd")
    return "even"


@Provider.auto_dispose
def label(ref):
    return f"it is {ref.watch(touchy)}"


@Provider.auto_dispose
def interrupted(ref):
    raise KeyboardInterrupt


@FutureProvider
async def later(ref):
    return ref.watch(switch)


class Recorder:
    """Replaces Element.state and records each transition."""

    def __init__(self, slot):
        self.slot = slot
        self.moves = set()

    def __get__(self, element, owner):
        return self if element is None else self.slot.__get__(element, owner)

    def __set__(self, element, state):
        before = getattr(element, "state", None) if element.__class__ is Element else None
        if before is not None and before != state:
            self.moves.add((before, state))
        self.slot.__set__(element, state)


@pytest.fixture
def moves(monkeypatch):
    recorder = Recorder(Element.state)
    monkeypatch.setattr(Element, "state", recorder)
    return recorder.moves


async def live(moves):
    container = ProviderContainer(on_error=lambda error, provider: None)
    controller = container.read(switch.notifier)
    with container.listen(label, lambda previous, value: None):
        await container.read(later.future)
        for value in (2, 3, 5, 4, 6):
            controller.state = value
            await container.pump()
        controller.state = 7
        with pytest.raises(ProviderError):
            container.read(label)
        container.invalidate(touchy)
        container.invalidate(parity)
        controller.state = 8
        await container.pump()
        await container.read(later.future)
    await container.pump()
    with pytest.raises(KeyboardInterrupt):
        container.read(interrupted)
    container.read(touchy)
    controller.state = 9
    await container.aclose()


def test_nodes_make_only_the_transitions_of_the_table(moves):
    asyncio.run(live(moves))
    unknown = {(NAMES[before], NAMES[after]) for before, after in moves - set(MOVES)}
    assert not unknown
    assert len(moves) >= 12  # the scenario is not trivial


def test_the_documentation_shows_the_table():
    drawn = re.search(r"```mermaid\n(stateDiagram.*?)\n```", PAGE.read_text(), re.DOTALL)
    assert drawn is not None
    assert drawn.group(1) == state_diagram()
