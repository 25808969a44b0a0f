"""Every way to ask for a value gives the same one, and its parts are not disposed before it is returned.

The graphs are functions of their cells. Each rule asks through another entry point, then compares with a naive oracle.
``TETHERPY_FUZZ=1`` makes the runs long (``make fuzz``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import initialize, invariant, precondition, rule

from tests.properties.loop_machine import LoopMachine, case_of
from tetherpy.reactive import (
    Notifier,
    NotifierProvider,
    Provider,
    ProviderContainer,
    ProviderSubscription,
    StateProvider,
)

LONG = bool(os.environ.get("TETHERPY_FUZZ"))
SETTINGS = settings(
    max_examples=4_000 if LONG else 25,
    stateful_step_count=60 if LONG else 30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
CELLS = 2
MOST_NODES = 7
choices = st.integers(0, 20)
few_changes = st.lists(st.tuples(st.integers(0, CELLS - 1), st.integers(0, 9)), max_size=2)


@attrs.frozen
class Spec:
    """A node; it watches the first of its picks, and depending on that value the second or none."""

    kind: str
    first: int
    second: int
    auto_dispose: bool


specs = st.lists(
    st.builds(Spec, st.sampled_from(["provider", "notifier", "state"]), choices, choices, st.booleans()),
    min_size=2,
    max_size=MOST_NODES,
)


def ignore(*_: Any) -> None:
    """Listen without interest in the changes."""


class EntriesMachine(LoopMachine):
    """Without an event loop an operation ends by disposing what is not used."""

    def __init__(self) -> None:
        super().__init__()
        self.reported: list[BaseException] = []
        self.container = ProviderContainer(on_error=lambda error, provider: self.reported.append(error))
        self.subscriptions: list[tuple[ProviderSubscription[int], int]] = []
        #: What the last build of each node has watched.
        self.watched: dict[Any, set[int]] = {}
        self.values = [1] * CELLS

    @initialize(nodes=specs)
    def declare(self, nodes: list[Spec]) -> None:
        self.specs = nodes
        self.providers: list[Any] = [StateProvider(lambda ref: 1, name=f"cell{i}") for i in range(CELLS)]
        for index, spec in enumerate(nodes, start=CELLS):
            self.providers.append(self._provider(index, spec))
        self.reader = Provider(lambda ref: self._begin("reader") or ref, name="reader")

    def _provider(self, index: int, spec: Spec) -> Any:
        options: dict[str, Any] = {"name": f"{spec.kind}{index}", "auto_dispose": spec.auto_dispose}
        match spec.kind:
            case "provider":
                return Provider(lambda ref: self._build(ref, index), **options)
            case "state":
                return StateProvider(lambda ref: self._build(ref, index), **options)
            case _:
                machine = self

                class Made(Notifier[int]):
                    def build(self) -> int:
                        return machine._build(self.ref, index)

                return NotifierProvider(Made, **options)

    def _begin(self, key: Any) -> None:
        self.watched[key] = set()

    def _build(self, ref: Any, index: int) -> int:
        self._begin(index)
        return self._formula(index, lambda source: self.watched[index].add(source) or ref.watch(self.providers[source]))

    def _formula(self, index: int, watch: Callable[[int], int]) -> int:
        spec = self.specs[index - CELLS]
        value = watch(spec.first % index)
        return (value + watch(spec.second % index)) % 10 if value % 2 else value // 2

    def expected(self, index: int) -> int:
        return self.values[index] if index < CELLS else self._formula(index, self.expected)

    def node(self, pick: int) -> int:
        return CELLS + pick % len(self.specs)

    def notifier_node(self, pick: int) -> int | None:
        """Return a node whose notifier outlives the read that returns it."""
        found = [i for i, spec in enumerate(self.specs, CELLS) if spec.kind != "provider" and not spec.auto_dispose]
        return found[pick % len(found)] if found else None

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Run an operation like a callback of the loop, and then some turns of the loop."""
        try:
            with super().inside():
                yield
        finally:
            self.run_turns(MOST_NODES)  # a chain that is not used is disposed one provider per turn

    # -- changes ---------------------------------------------------------------------------------

    @rule(changes=st.lists(st.tuples(st.integers(0, CELLS - 1), st.integers(0, 9)), min_size=1, max_size=2))
    def write(self, changes: list[tuple[int, int]]) -> None:
        with self.inside(), self.container.batch():
            for cell, value in changes:
                self.values[cell] = value
                self.container.read(self.providers[cell].notifier).state = value

    @rule(pick=choices)
    def invalidate(self, pick: int) -> None:
        with self.inside():
            self.container.invalidate(self.providers[self.node(pick)])

    # -- entry points ----------------------------------------------------------------------------

    def check(self, index: int, value: int, entry: str) -> None:
        assert value == self.expected(index), f"{entry} of {self.providers[index]!r} gave {value}"

    @rule(pick=choices, how=st.sampled_from(["read", "refresh"]))
    def through_container(self, pick: int, how: str) -> None:
        index = self.node(pick)
        with self.inside():
            self.check(index, getattr(self.container, how)(self.providers[index]), f"container.{how}")

    @rule(pick=choices, weak=st.booleans(), paused=st.booleans(), selects=st.booleans())
    def listen(self, pick: int, weak: bool, paused: bool, selects: bool) -> None:
        index = self.node(pick)
        listenable = self.providers[index]
        if selects:
            listenable = listenable.select(lambda value: value)
        with self.inside():
            subscription = self.container.listen(listenable, ignore, weak=weak)
            if paused:
                subscription.pause()
        self.subscriptions.append((subscription, index))

    @precondition(lambda self: self.subscriptions)
    @rule(pick=choices, resumes=st.booleans())
    def through_subscription(self, pick: int, resumes: bool) -> None:
        subscription, index = self.subscriptions[pick % len(self.subscriptions)]
        with self.inside():
            if resumes:
                subscription.resume()
            self.check(index, subscription.read(), "subscription.read")
            self.check(index, subscription.read(), "the second subscription.read")

    @precondition(lambda self: self.subscriptions)
    @rule(pick=choices)
    def close(self, pick: int) -> None:
        subscription, _ = self.subscriptions.pop(pick % len(self.subscriptions))
        with self.inside():
            subscription.close()

    @rule(pick=choices, changes=few_changes, how=st.sampled_from(["state", "state += 1", "update"]))
    def through_notifier(self, pick: int, changes: list[tuple[int, int]], how: str) -> None:
        """Keep the notifier during a change of its dependencies, then read its state or add to it.

        After an addition have it built again: it is a function of the cells at the end.
        """
        index = self.notifier_node(pick)
        if index is None:
            return
        with self.inside():
            notifier = self.container.read(self.providers[index].notifier)
        if changes:
            self.write(changes)
        with self.inside():
            if how == "state":
                self.check(index, notifier.state, "notifier.state")
                return
            if how == "update" and hasattr(notifier, "update"):
                notifier.update(lambda value: value + 1)
            else:
                notifier.state += 1
            assert notifier.state == self.expected(index) + 1, how
            self.container.invalidate(self.providers[index])

    @rule(pick=choices, how=st.sampled_from(["watch", "read", "refresh"]))
    def through_ref(self, pick: int, how: str) -> None:
        """Use a Ref after its build has ended, like a callback."""
        index = self.node(pick)
        with self.inside():
            ref = self.container.read(self.reader)
            if how == "watch":
                self.watched["reader"].add(index)
            self.check(index, getattr(ref, how)(self.providers[index]), f"a late ref.{how}")

    # -- always ----------------------------------------------------------------------------------

    @invariant()
    def only_what_is_used_stays(self) -> None:
        if not hasattr(self, "specs"):
            return
        assert self.reported == []
        used = {index for subscription, index in self.subscriptions if not subscription.weak}
        for key, sources in self.watched.items():
            if self.container.exists(self.reader if key == "reader" else self.providers[key]):
                used |= sources
        for index, spec in enumerate(self.specs, CELLS):
            if spec.auto_dispose and index not in used:
                assert not self.container.exists(self.providers[index]), f"{self.providers[index]!r} is not used"

    def teardown(self) -> None:
        self.container.dispose()
        super().teardown()


class EntriesUnderALoopMachine(EntriesMachine):
    """Under a loop the same values are given, and the disposal waits for the turn."""

    has_loop = True


TestEntriesWithoutALoop = case_of(EntriesMachine, SETTINGS)
TestEntriesUnderALoop = case_of(EntriesUnderALoopMachine, SETTINGS)
