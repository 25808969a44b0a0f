"""Apply random operations to random graphs of providers, and compare them with an oracle that computes from scratch.

``TETHERPY_FUZZ=1`` makes the runs long (``make fuzz``).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import initialize, invariant, precondition, rule

from tests.properties.graph_world import (
    ASYNC,
    ASYNC_KINDS,
    SYNC_KINDS,
    Failure,
    Place,
    Spec,
    UnknownError,
    World,
    root,
    settled,
)
from tests.properties.loop_machine import LoopMachine, case_of
from tetherpy.reactive import AsyncData, AsyncError, ProviderContainer
from tetherpy.reactive.errors import ContainerDisposedError
from tetherpy.reactive.graph.invariants import check_graph

LONG = bool(os.environ.get("TETHERPY_FUZZ"))

pytestmark = pytest.mark.timeout(0 if LONG else 120)

SETTINGS = settings(
    max_examples=2_000 if LONG else 30,
    stateful_step_count=120 if LONG else 50,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)

numbers = st.integers(0, 9)
choices = st.integers(0, 30)


def specs_of(kinds: tuple[str, ...]) -> st.SearchStrategy[list[Spec]]:
    spec = st.builds(
        Spec,
        kind=st.sampled_from(kinds),
        picks=st.tuples(choices, choices, choices),
        number=st.integers(1, 5),
        auto_dispose=st.booleans(),
        scoped=st.booleans(),
    )
    return st.lists(spec, min_size=3, max_size=8)


class Ear:
    """A listener that compares each delivery with the oracle immediately."""

    def __init__(self, machine: GraphMachine, place: Place, index: int, part: int | None, *, weak: bool) -> None:
        self.machine = machine
        self.place = place
        self.index = index
        self.part = part
        self.count = 0
        self.unchecked = True
        listenable = machine.world.providers[index]
        if part is not None:
            listenable = listenable.select(lambda value: value // part)
        self.last: Any = None
        self.subscription = place.container.listen(listenable, self._changed, on_error=self._failed, weak=weak)
        if not weak:
            self.last = settled(self.subscription.read)
        self.unchecked = False

    def expected(self) -> Any:
        value = self.machine.world.expect(self.place, self.index)
        return value if self.part is None or isinstance(value, Failure) else value // self.part

    def _changed(self, previous: Any, value: Any) -> None:
        self.machine.heard(self)
        if not self.subscription.weak:
            before = None if isinstance(self.last, Failure) else self.last
            self.machine.want(previous == before, f"{self} was told it had been {previous!r}, not {before!r}")
        self._take(value)

    def _failed(self, error: Exception) -> None:
        self.machine.heard(self)
        self._take(Failure(root(error)))

    def _take(self, value: Any) -> None:
        self.last = value
        self.count += 1
        if self.unchecked or self.machine.unchecked:
            return
        try:
            expected = self.expected()
        except UnknownError:
            return
        self.machine.want(value == expected, f"{self} was told {value!r} when it was {expected!r}")
        self.machine.check_published(self.place, self.index, value)

    def __repr__(self) -> str:
        return f"ear on {self.machine.world.providers[self.index]!r}"


class GraphMachine(LoopMachine):
    """Under an event loop that the machine runs itself, one iteration at a time."""

    kinds = SYNC_KINDS + ASYNC_KINDS
    has_loop = True

    def __init__(self) -> None:
        super().__init__()
        self.complaints: list[str] = []
        self.reported: list[tuple[BaseException, Any]] = []
        self.ears: list[Ear] = []
        self.waiters: list[tuple[asyncio.Task[Any], Place, int]] = []
        self.unchecked = False
        self.deliveries_in_turn: dict[Ear, int] = {}
        self.world: World

    # -- helpers ---------------------------------------------------------------------------------

    def want(self, truth: bool, complaint: str) -> None:
        """Record a failed expectation in a callback, where an assertion would be caught like a listener's error."""
        if not truth:
            self.complaints.append(complaint)

    def heard(self, ear: Ear) -> None:
        self.deliveries_in_turn[ear] = self.deliveries_in_turn.get(ear, 0) + 1
        self.want(not ear.subscription.is_paused, f"{ear} was told while paused")
        self.want(not ear.subscription.closed, f"{ear} was told after it was closed")

    def iterate(self) -> None:
        """Run one iteration of the loop and check the events of one turn."""
        if self.loop is None:
            return
        before = self.world.pushed.copy()
        self.run_turns(1)
        built = self.world.pushed - before
        assert all(count == 1 for count in built.values()), f"built more than once in a turn: {built}"

    def place(self, pick: int) -> Place:
        return self.places[pick % len(self.places)]

    def cells(self) -> list[int]:
        return [index for index, spec in enumerate(self.world.specs) if spec.kind == "cell"]

    def check_published(self, place: Place, index: int, state: Any) -> None:
        """Only the newest build of an asynchronous provider may publish."""
        world = self.world
        home = world.home(place, index)
        if world.specs[index].kind not in ("async", "late") or index in home.overrides:
            return
        build = world.async_builds.get((home.container, index), [None])[-1]
        if isinstance(state, AsyncData) and not state.is_loading:
            self.want(
                build is not None and build.outcome == state.value,
                f"{world.providers[index]!r} published {state!r}, its newest build is {build}",
            )

    def check_fresh(self, place: Place, index: int, value: Any) -> None:
        """Compare the result of a read with the oracle."""
        world = self.world
        spec = world.specs[index]
        home = world.home(place, index)
        try:
            if spec.kind not in ASYNC:
                expected = world.expect(place, index)
                assert value == expected, f"{world.providers[index]!r} read as {value!r}, not {expected!r}"
            elif index in home.overrides:
                assert value == AsyncData(home.overrides[index])
            else:
                self.check_state(home, index, value)
        except UnknownError:
            pass

    def check_state(self, home: Place, index: int, state: Any) -> None:
        world = self.world
        deps = [world.expect(home, dep) for dep in world.deps[index]]
        builds = world.async_builds.get((home.container, index))
        name = world.providers[index]
        if world.specs[index].kind == "async":
            failed = next((dep for dep in deps if isinstance(dep, Failure)), None)
            if failed is not None:
                if failed.text == "loading":
                    assert state.is_loading, f"{name!r} watches what is loading and is {state!r}"
                else:
                    assert isinstance(state, AsyncError), f"{name!r} watches what failed and is {state!r}"
                    assert root(state.error) == failed.text
                return
            assert builds
            build = builds[-1]
            assert build.inputs == sum(deps), f"{name!r} was built from {build.inputs}, which is now {sum(deps)}"
            assert state.is_loading == (not build.passed), f"{name!r} is {state!r} while its build is {build}"
            if build.passed:
                result = Failure(root(state.error)) if isinstance(state, AsyncError) else state.value
                assert result == build.outcome, f"{name!r} is {state!r}, its build gave {build.outcome!r}"
        elif isinstance(state, AsyncData) and not state.is_loading:
            if world.specs[index].kind == "late":
                assert builds
                first, second = (*deps, *deps)[:2]
                seen = (builds[-1].inputs, builds[-1].late)
                assert seen == (first, (second,)), f"{name!r} saw {seen}, which is now {first, second}"
            else:
                source = deps[0]
                assert isinstance(source, AsyncData)
                assert not source.is_loading
                assert state.value == source.value + 1

    def check_ears(self) -> None:
        """Check that every listener that is not paused has the present value."""
        for ear in self.ears:
            subscription = ear.subscription
            if subscription.closed or subscription.is_paused or subscription.weak:
                continue
            try:
                expected = ear.expected()
            except UnknownError:
                continue
            assert ear.last == expected, f"{ear} has {ear.last!r}, but it is {expected!r}"

    # -- rules -----------------------------------------------------------------------------------

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        self.world = World(data.draw(specs_of(self.kinds)))
        overrides = data.draw(st.dictionaries(st.integers(0, len(self.world.specs) - 1), numbers, max_size=2))
        self.places: list[Place] = []
        with self.inside():
            self._open(None, overrides)

    def _open(self, parent: Place | None, overrides: dict[int, int]) -> None:
        container = ProviderContainer(
            parent=None if parent is None else parent.container,
            overrides=[self.world.override(index, value) for index, value in overrides.items()],
            on_error=lambda error, provider: self.reported.append((error, provider)),
        )
        place = Place(container, parent, dict(overrides))
        self.places.append(place)
        self.world.places[container] = place

    @rule(where=choices, which=choices)
    def read(self, where: int, which: int) -> None:
        place, index = self.place(where), which % len(self.world.specs)
        with self.inside():
            value = settled(lambda: place.container.read(self.world.providers[index]))
            self.check_fresh(place, index, value)
            builds = self.world.builds.copy()
            again = settled(lambda: place.container.read(self.world.providers[index]))
        if self.has_loop or not self.world.specs[index].auto_dispose:
            stable = {key: n for key, n in (self.world.builds - builds).items() if self.kept(key[1])}
            assert not stable, f"read twice, built again: {stable}"
        assert again == value or isinstance(value, AsyncError)

    def kept(self, index: int) -> bool:
        return self.has_loop or not any(self.world.specs[i].auto_dispose for i in (index, *self.world.closures[index]))

    @rule(where=choices, which=choices, value=numbers)
    def write(self, where: int, which: int, value: int) -> None:
        with self.inside():
            self._write(where, which, value)

    def _write(self, where: int, which: int, value: int) -> None:
        place, cells = self.place(where), self.cells()
        index = cells[which % len(cells)]
        home = self.world.home(place, index)
        with self.first_value_unchecked(home, index), home.container.batch():
            controller = place.container.read(self.world.providers[index].notifier)
            self.world.cells[home.container, index] = value
            controller.state = value

    @contextmanager
    def first_value_unchecked(self, home: Place, index: int) -> Iterator[None]:
        """Within a batch, weak listeners of a cell that is built and written receive both values at its end."""
        unchecked = self.unchecked
        element = home.container.elements.get(self.world.providers[index])
        self.unchecked = unchecked or element is None or element.state > 0
        yield
        self.unchecked = unchecked

    @rule(writes=st.lists(st.tuples(choices, choices, numbers), min_size=2, max_size=4))
    def write_together(self, writes: list[tuple[int, int, int]]) -> None:
        self.unchecked = True
        with self.inside(), self.places[0].container.batch():
            for where, which, value in writes:
                self._write(where, which, value)
        self.unchecked = False

    @rule(where=choices, which=choices, part=st.none() | st.integers(1, 4), weak=st.sampled_from([False] * 4 + [True]))
    def listen(self, where: int, which: int, part: int | None, weak: bool) -> None:
        place, index = self.place(where), which % len(self.world.specs)
        if self.world.specs[index].kind in ASYNC or weak:
            part = None
        with self.inside():
            self.ears.append(Ear(self, place, index, part, weak=weak))

    @precondition(lambda self: self.ears)
    @rule(which=choices, what=st.sampled_from(["pause", "resume", "resume", "close"]))
    def ear(self, which: int, what: str) -> None:
        ear = self.ears[which % len(self.ears)]
        with self.inside():
            ear.unchecked = True  # missed changes are delivered with their old values
            getattr(ear.subscription, what)()
            ear.unchecked = False
        if what == "close":
            self.ears.remove(ear)

    @precondition(lambda self: self.ears)
    @rule(
        which=choices, writes=st.lists(st.tuples(choices, choices, numbers), min_size=1, max_size=2), turn=st.booleans()
    )
    def look_away(self, which: int, writes: list[tuple[int, int, int]], turn: bool) -> None:
        """Pause, change a value, resume: missed changes are delivered first, then the current value."""
        ear = self.ears[which % len(self.ears)]
        with self.inside():
            ear.subscription.pause()
            for where, cell, value in writes:
                self._write(where, cell, value)
        if turn:
            self.iterate()
        self.ear(which, "resume")
        self.settle()

    @rule(where=choices, which=choices)
    def read_everywhere(self, where: int, which: int) -> None:
        """One provider has one value in each place."""
        for number in range(len(self.places)):
            self.read(where + number, which)

    @rule(where=choices, which=choices, as_reload=st.booleans(), and_read=st.booleans())
    def invalidate(self, where: int, which: int, as_reload: bool, and_read: bool) -> None:
        place, index = self.place(where), which % len(self.world.specs)
        home, provider = self.world.home(place, index), self.world.providers[index]
        element = home.container.elements.get(provider)
        builds = self.world.builds[home.container, index]
        with self.inside():
            self._expect_reset(home, index)
            place.container.invalidate(provider, as_reload=as_reload)
            if and_read:
                settled(lambda: place.container.read(provider))
        overridden = index in home.overrides and self.world.specs[index].kind != "cell"
        if and_read and element is not None and element.ref is not None and not overridden:
            assert self.world.builds[home.container, index] > builds, f"{provider!r} was not built again"

    def _expect_reset(self, home: Place, index: int) -> None:
        element = home.container.elements.get(self.world.providers[index])
        if self.world.specs[index].kind == "cell" and element is not None and element.ref is not None:
            self.world.resettable.add((home.container, index))

    @rule()
    def invalidate_family(self) -> None:
        with self.inside():
            self.places[0].container.invalidate(self.world.family)

    @rule(where=choices, overrides=st.dictionaries(choices, numbers, min_size=1, max_size=2))
    def open_child(self, where: int, overrides: dict[int, int]) -> None:
        scoped = [index for index, spec in enumerate(self.world.specs) if spec.scoped]
        chosen = {scoped[pick % len(scoped)]: value for pick, value in overrides.items()} if scoped else {}
        if len(self.places) < 4:
            with self.inside():
                self._open(self.place(where), chosen)

    @precondition(lambda self: len(self.places) > 1)
    @rule(which=choices)
    def close_child(self, which: int) -> None:
        closed = [self.places[1 + which % (len(self.places) - 1)]]
        for place in self.places:
            if place.parent in closed:
                closed.append(place)
        with self.inside():
            closed[0].container.dispose()
        for place in closed:
            self.places.remove(place)
            assert place.container.disposed
        for ear in list(self.ears):
            assert ear.subscription.closed == (ear.place in closed), f"{ear} has the wrong lifetime"
            if ear.place in closed:
                self.ears.remove(ear)

    @rule(where=choices, values=st.lists(numbers, min_size=2, max_size=2))
    def update_overrides(self, where: int, values: list[int]) -> None:
        place = self.place(where)
        changed = dict(zip(place.overrides, values, strict=False))
        with self.inside():
            for index, value in changed.items():
                place.overrides[index] = value
                self._expect_reset(place, index)
            place.container.update_overrides([self.world.override(i, value) for i, value in changed.items()])

    # -- asynchronous ----------------------------------------------------------------------------

    @precondition(lambda self: self.has_loop and any(spec.kind in ASYNC for spec in self.world.specs))
    @rule(where=choices, which=choices)
    def await_future(self, where: int, which: int) -> None:
        indices = [index for index, spec in enumerate(self.world.specs) if spec.kind in ASYNC]
        place, index = self.place(where), indices[which % len(indices)]

        async def wait(awaitable: Any) -> Any:
            return await awaitable

        assert self.loop is not None
        with self.inside():
            coroutine = wait(place.container.read(self.world.providers[index].future))
            self.waiters.append((self.loop.create_task(coroutine), place, index))

    @precondition(lambda self: self.waiters)
    @rule(which=choices)
    def give_up(self, which: int) -> None:
        self.waiters.pop(which % len(self.waiters))[0].cancel()
        self.iterate()

    @precondition(lambda self: self.has_loop)
    @rule(which=choices)
    def complete(self, which: int) -> None:
        gates = [build.gate for builds in self.world.async_builds.values() for build in builds if not build.gate.done()]
        if gates:
            gates[which % len(gates)].set_result(None)

    @precondition(lambda self: self.has_loop)
    @rule()
    def turn(self) -> None:
        self.deliveries_in_turn.clear()
        self.iterate()

    @rule()
    def settle(self) -> None:
        for _ in range(12):
            self.iterate()
        for place in self.places:
            scheduler = place.container.scheduler
            assert not scheduler.queue
            assert not scheduler.disposals
        self.check_ears()
        for task, _, _ in list(self.waiters):
            if task.done():
                error = task.exception()
                assert error is None or not isinstance(error, AssertionError), error

    # -- always ----------------------------------------------------------------------------------

    @invariant()
    def is_whole(self) -> None:
        if not hasattr(self, "places"):
            return
        assert not self.complaints, self.complaints[0]
        for error, _ in self.reported:
            assert not isinstance(error, AssertionError | AttributeError | TypeError | KeyError), repr(error)
        check_graph(
            [place.container for place in self.places],
            [ear.subscription._element for ear in self.ears],
        )
        if not self.has_loop:
            self.check_ears()

    def teardown(self) -> None:
        try:
            if hasattr(self, "places"):
                self.end()
        finally:
            super().teardown()

    def end(self) -> None:
        container = self.places[0].container
        with self.inside():
            container.dispose()
            with pytest.raises(ContainerDisposedError):
                container.read(self.world.providers[0])
        for _ in range(6):
            self.iterate()
        assert all(ear.subscription.closed for ear in self.ears)
        assert self.world.hooked == self.world.ended, "a build did not end exactly once"
        for task, _, _ in self.waiters:
            assert task.done()
            if not task.cancelled():
                error = task.exception()
                assert error is None or isinstance(error, Exception)


class LooplessMachine(GraphMachine):
    """Without an event loop: everything is settled when the outermost change has finished."""

    kinds = SYNC_KINDS
    has_loop = False


TestGraphUnderALoop = case_of(GraphMachine, SETTINGS)
TestGraphWithoutALoop = case_of(LooplessMachine, SETTINGS)
