"""A BaseException at any place: the current call raises or reports it, and all other work completes.

Bombs are placed in builds, listeners, lifecycle callbacks and disposers; each raises once. ``TETHERPY_FUZZ=1`` makes
the runs long (``make fuzz``).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any, cast

import attrs
import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import initialize, invariant, precondition, rule

from tests.properties.loop_machine import LoopMachine, case_of
from tetherpy.reactive import Provider, ProviderContainer, ProviderSubscription, StateProvider

LONG = bool(os.environ.get("TETHERPY_FUZZ"))
SETTINGS = settings(
    max_examples=4_000 if LONG else 25,
    stateful_step_count=60 if LONG else 30,
    deadline=None,
    suppress_health_check=list(cast("Iterable[HealthCheck]", HealthCheck)),  # without the deprecated ones
)
CELLS = 2
choices = st.integers(0, 20)


class Bomb(BaseException):
    """A BaseException that is not an Exception, like pytest.fail and a group with KeyboardInterrupt."""


@attrs.define(eq=False)
class Ear:
    """A listener, and its last value."""

    index: int
    last: Any = None
    subscription: Any = None


class InterruptionsMachine(LoopMachine):
    """Without an event loop an operation has done everything when it ends."""

    def __init__(self) -> None:
        super().__init__()
        self.reported: list[BaseException] = []
        self.container = ProviderContainer(on_error=self.report)
        self.values = [1] * CELLS
        self.bombs: Counter[str] = Counter()
        if self.loop is not None:
            self.loop.set_exception_handler(lambda loop, context: self.raised_by_loop(context["exception"]))
        #: How many bombs went off in places whose error cannot be seen in a provider's state.
        self.exploded = 0
        #: The bombs that went off and were neither raised nor reported.
        self.unseen: list[Bomb] = []
        self.ears: list[Ear] = []
        self.registered: Counter[tuple[int, int, int]] = Counter()
        self.disposed: Counter[tuple[int, int, int]] = Counter()
        self.builds: Counter[int] = Counter()

    @initialize(nodes=st.lists(st.tuples(choices, choices, st.booleans()), min_size=2, max_size=5))
    def declare(self, nodes: list[tuple[int, int, bool]]) -> None:
        self.nodes = nodes
        self.heal = StateProvider(lambda ref: 0, name="heal")
        self.providers: list[Any] = [StateProvider(lambda ref: 1, name=f"cell{i}") for i in range(CELLS)]
        for index, (_, _, auto_dispose) in enumerate(nodes, start=CELLS):
            self.providers.append(self._provider(index, auto_dispose=auto_dispose))
        with self.inside():
            self.container.listen(self.heal, lambda previous, value: None)

    def _provider(self, index: int, *, auto_dispose: bool) -> Any:
        def create(ref: Any) -> int:
            self.explode("build")
            number = self.builds[index]
            self.builds[index] += 1
            for place in range(3):
                self.registered[index, number, place] += 1
                ref.on_dispose(lambda place=place: self._disposed(index, number, place))
            ref.on_cancel(lambda: self.explode("hook"))
            ref.on_resume(lambda: self.explode("hook"))
            ref.on_add_listener(lambda: self.explode("hook"))
            ref.on_remove_listener(lambda: self.explode("hook"))
            value = self._formula(index, lambda source: ref.watch(self.providers[source]))
            self.explode("end of a build")
            return value

        return Provider(create, name=f"node{index}", auto_dispose=auto_dispose)

    def _disposed(self, index: int, number: int, place: int) -> None:
        self.disposed[index, number, place] += 1
        self.explode("disposer")

    def _formula(self, index: int, watch: Callable[[int], int]) -> int:
        first, second, _ = self.nodes[index - CELLS]
        value = watch(first % index)
        return (value + watch(second % index)) % 10 if value % 2 else value // 2

    def expected(self, index: int) -> int:
        return self.values[index] if index < CELLS else self._formula(index, self.expected)

    def explode(self, place: str) -> None:
        if self.bombs[place]:
            self.bombs[place] -= 1
            self.exploded += 1
            self.unseen.append(Bomb(place))
            raise self.unseen[-1]

    def report(self, error: BaseException, provider: object) -> None:
        self.reported.append(error)
        self.see(error)

    def see(self, error: BaseException | None) -> None:
        """Note that a caller sees an error, and the errors that it has replaced on its way."""
        while error is not None:
            self.unseen = [bomb for bomb in self.unseen if bomb is not error]
            error = error.__context__

    @contextmanager
    def inside(self) -> Generator[None]:
        """Run an operation like a callback of the loop, and catch the bomb that it raises."""
        before = self.exploded
        try:
            with super().inside():
                yield
        except Bomb as bomb:
            self.see(bomb)
            assert self.exploded > before, "an operation raised a bomb of another one"
        self.run_turns(4)
        assert not self.unseen, "an operation neither raised nor reported a bomb"

    def raised_by_loop(self, error: BaseException) -> None:
        """Note a bomb raised in a turn of the loop: asyncio passes it to the exception handler of the loop."""
        assert isinstance(error, Bomb)
        self.see(error)

    # -- rules -----------------------------------------------------------------------------------

    @rule(place=st.sampled_from(["build", "end of a build", "listener", "disposer", "disposer", "hook"]))
    def arm(self, place: str) -> None:
        self.bombs[place] += 1

    @rule(changes=st.lists(st.tuples(st.integers(0, CELLS - 1), st.integers(0, 9)), min_size=1, max_size=2))
    def write(self, changes: list[tuple[int, int]]) -> None:
        with self.inside(), self.container.batch():
            for cell, value in changes:
                controller = self.container.read(self.providers[cell].notifier)
                self.values[cell] = value
                controller.state = value

    @rule(pick=choices)
    def listen(self, pick: int) -> None:
        ear = Ear(pick % len(self.providers))

        def hear(previous: Any, value: Any) -> None:
            ear.last = value
            self.explode("listener")

        with self.inside():
            ear.subscription = self.container.listen(self.providers[ear.index], hear)
            ear.last = ear.subscription.read()
            self.ears.append(ear)

    @precondition(lambda self: self.ears)
    @rule(pick=choices, how=st.sampled_from(["pause and resume", "close", "close"]))
    def ear(self, pick: int, how: str) -> None:
        ear = self.ears[pick % len(self.ears)]
        subscription: ProviderSubscription[int] = ear.subscription
        if how == "close":
            self.ears.remove(ear)
            with self.inside():
                subscription.close()
            assert subscription.closed
        else:
            with self.inside():
                subscription.pause()
            with self.inside():
                subscription.resume()
            assert not subscription.is_paused

    @rule(pick=choices)
    def invalidate(self, pick: int) -> None:
        with self.inside():
            self.container.invalidate(self.providers[CELLS + pick % len(self.nodes)])

    @rule(pick=choices)
    def read(self, pick: int) -> None:
        index = pick % len(self.providers)
        value = None
        with self.inside():
            value = self.container.read(self.providers[index])
        assert value in (None, self.expected(index))

    # -- always ----------------------------------------------------------------------------------

    @invariant()
    def everything_else_is_done(self) -> None:
        if not hasattr(self, "nodes"):
            return
        bombs, self.bombs = self.bombs, Counter()
        # A build that was interrupted is queued again by the next change.
        with self.inside():
            self.container.read(self.heal.notifier).state += 1
        for ear in self.ears:
            assert ear.last == self.expected(ear.index), f"the listener of {self.providers[ear.index]!r} was skipped"
        for index, provider in enumerate(self.providers):
            if self.container.exists(provider):
                assert self.container.read(provider) == self.expected(index)
        self.run_turns(4)
        self.check_disposers()
        unexpected = [error for error in self.reported if not isinstance(error, Bomb)]
        assert not unexpected
        self.bombs = bombs

    def check_disposers(self) -> None:
        """All disposers of a build run, or none."""
        for index, number, _ in self.registered:
            counts = {self.disposed[index, number, place] for place in range(3)}
            assert counts in ({0}, {1}), f"some disposers of {self.providers[index]!r} were skipped"

    def teardown(self) -> None:
        with self.inside():
            self.container.dispose()
        assert self.container.disposed
        assert all(ear.subscription.closed for ear in self.ears)
        if hasattr(self, "nodes"):
            assert self.disposed == self.registered, "a build did not end exactly once"
        super().teardown()


class InterruptionsUnderALoopMachine(InterruptionsMachine):
    """Under a loop deferred work raises its bombs in a turn."""

    has_loop = True


TestInterruptionsWithoutALoop = case_of(InterruptionsMachine, SETTINGS)
TestInterruptionsUnderALoop = case_of(InterruptionsUnderALoopMachine, SETTINGS)
