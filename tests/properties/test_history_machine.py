"""History against a list of states: random edits, batches, undo, redo, rebuilds."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.properties.loop_machine import case_of
from tetherpy import History, Notifier, NotifierProvider, ProviderContainer, StateProvider

BUTTON = StateProvider(lambda ref: 0, name="button")
LIMIT = 5


class Cell(Notifier[int]):
    def __init__(self, index: int) -> None:
        self.index = index

    def build(self) -> int:
        if self.index == 0:
            self.ref.watch(BUTTON)
        return 0


CELL = NotifierProvider.family(Cell)
indexes = st.integers(0, 2)


class HistoryMachine(RuleBasedStateMachine):
    """The model is a list of steps, each with the edits of some cells."""

    @initialize()
    def begin(self) -> None:
        self.container = ProviderContainer()
        self.history = History(self.container, [CELL(index) for index in range(3)], limit=LIMIT)
        self.states = [0, 0, 0]
        self.undone: list[dict[int, tuple[int, int]]] = []
        self.done: list[dict[int, tuple[int, int]]] = []
        self.value = 0

    def edit(self, indexes: list[int], data: Any) -> None:
        before = list(self.states)
        for index in indexes:
            self.states[index] = data.draw(st.integers(0, 2))
            self.container.read(CELL(index).notifier).state = self.states[index]
        step = {
            index: (old, new) for index, (old, new) in enumerate(zip(before, self.states, strict=True)) if old != new
        }
        if step:
            self.done = [*self.done, step][-LIMIT:]
            self.undone = []

    @rule(index=indexes, data=st.data())
    def set_one(self, index: int, data: Any) -> None:
        self.edit([index], data)

    @rule(indexes=st.lists(indexes, max_size=5), data=st.data())
    def set_many(self, indexes: list[int], data: Any) -> None:
        with self.container.batch():
            self.edit(indexes, data)

    @rule(way=st.sampled_from(["undo", "redo"]))
    def step(self, way: str) -> None:
        source, target = (self.done, self.undone) if way == "undo" else (self.undone, self.done)
        moved = self.history.undo() if way == "undo" else self.history.redo()
        assert moved is bool(source)
        if source:
            step = source.pop()
            target.append(step)
            for index, (old, new) in step.items():
                self.states[index] = old if way == "undo" else new

    @rule(by=st.sampled_from(["dependency", "invalidate"]))
    def rebuild(self, by: str) -> None:
        if by == "dependency":
            self.container.read(BUTTON.notifier).state += 1
        else:
            self.container.invalidate(CELL(0))
        self.states[0] = 0
        for steps in (self.done, self.undone):
            for step in steps:
                step.pop(0, None)
            steps[:] = [step for step in steps if step]

    @rule()
    def clear(self) -> None:
        self.history.clear()
        self.done, self.undone = [], []

    @invariant()
    def shows_what_the_model_shows(self) -> None:
        assert [self.container.read(CELL(index)) for index in range(3)] == self.states
        assert (self.history.can_undo, self.history.can_redo) == (bool(self.done), bool(self.undone))
        status = self.container.read(self.history.status)
        assert (status.can_undo, status.can_redo) == (bool(self.done), bool(self.undone))

    def teardown(self) -> None:
        self.history.close()
        self.container.dispose()


TestHistory = case_of(HistoryMachine, settings(max_examples=60, stateful_step_count=30, deadline=None))
