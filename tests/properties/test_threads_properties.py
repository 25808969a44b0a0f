"""Calls of other threads: first in, first out, none lost, never nested, never inside an operation.

A program is a tree of operations of a container; threads post calls, and are refused, at any place in it. Its parts run
in successive event loops, or without one. ``TETHERPY_FUZZ=1`` makes the runs long (``make fuzz``).
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import attrs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tetherpy.reactive import Provider, ProviderContainer, StateProvider, WrongThreadError

LONG = bool(os.environ.get("TETHERPY_FUZZ"))
TURNS = 60
"""The number of turns that deliver all posted calls, including calls that calls post."""

Step: TypeAlias = tuple[Any, ...]
ENTRIES = ("read", "listen", "invalidate", "exists", "subscription", "controller", "controller =", "ref", "dispose")

leaves = st.one_of(
    st.tuples(st.just("write")),
    st.tuples(st.just("read")),
    st.tuples(st.just("turn")),
    st.tuples(st.just("refused"), st.sampled_from(ENTRIES)),
)


def steps_of(step: st.SearchStrategy[Step]) -> st.SearchStrategy[list[Step]]:
    return st.lists(step, max_size=3)


steps = steps_of(
    st.recursive(
        leaves,
        lambda step: st.one_of(
            st.tuples(st.sampled_from(["batch", "build", "listener", "disposer"]), steps_of(step)),
            st.tuples(st.just("post"), st.integers(1, 3), steps_of(step)),
            st.tuples(st.just("post from two threads"), steps_of(step)),
        ),
        max_leaves=8,
    )
)


def in_threads(*functions: Callable[[], object]) -> None:
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@attrs.define(eq=False, slots=False)
class World:
    """A container, and the calls that each thread has posted to it."""

    posted: dict[int, list[int]] = attrs.field(factory=dict[int, list[int]])
    done: dict[int, list[int]] = attrs.field(factory=dict[int, list[int]])
    complaints: list[str] = attrs.field(factory=list[str])
    reported: list[BaseException] = attrs.field(factory=list[BaseException])
    places: list[str] = attrs.field(factory=list[str])
    writes: int = 0
    calls: int = 0
    senders: int = 1

    def __attrs_post_init__(self) -> None:
        self.own = threading.get_ident()
        self.cell = StateProvider(lambda ref: 0, name="cell")
        self.double = Provider(self._double, name="double")
        self.refs = Provider(lambda ref: ref, name="refs")
        self.container = ProviderContainer(on_error=lambda error, provider: self.reported.append(error))
        self.subscription = self.container.listen(self.double, lambda previous, value: None)
        self.controller = self.container.read(self.cell.notifier)
        self.ref = self.container.read(self.refs)

    def _double(self, ref: Any) -> int:
        self.want(threading.get_ident() == self.own, "a build ran in another thread")
        return ref.watch(self.cell) * 2

    def want(self, truth: bool, complaint: str) -> None:
        """Record a failed expectation where an assertion would be caught."""
        if not truth:
            self.complaints.append(complaint)

    @contextmanager
    def inside(self, place: str) -> Iterator[None]:
        self.places.append(place)
        try:
            yield
        finally:
            self.places.pop()

    # -- threads ---------------------------------------------------------------------------------

    def post(self, sender: int, count: int, inner: list[Step]) -> Callable[[], None]:
        """Return the function of a thread that posts some calls."""
        numbers = list(range(self.calls, self.calls + count))
        self.calls += count

        def send() -> None:
            for number in numbers:
                self.posted.setdefault(sender, []).append(number)
                self.container.call_soon_threadsafe(lambda number=number: self.called(sender, number, inner))

        return send

    def called(self, sender: int, number: int, inner: list[Step]) -> None:
        self.want(threading.get_ident() == self.own, "a call was made in another thread")
        self.want(not self.places, f"a call was made inside {self.places}")
        self.done.setdefault(sender, []).append(number)
        with self.inside("another call"):
            self.write()
            self.run(inner)

    def refused(self, entry: str) -> None:
        container = self.container
        uses: dict[str, Callable[[], object]] = {
            "read": lambda: container.read(self.double),
            "listen": lambda: container.listen(self.double, lambda previous, value: None),
            "invalidate": lambda: container.invalidate(self.double),
            "exists": lambda: container.exists(self.double),
            "subscription": self.subscription.read,
            "controller": lambda: self.controller.state,
            "controller =": lambda: setattr(self.controller, "state", -1),
            "ref": lambda: self.ref.read(self.double),
            "dispose": container.dispose,
        }
        raised: list[BaseException] = []

        def use() -> None:
            try:
                uses[entry]()
            except BaseException as error:
                raised.append(error)

        in_threads(use)
        self.want([type(error) for error in raised] == [WrongThreadError], f"{entry} in another thread: {raised}")

    # -- operations of the container's own thread ------------------------------------------------

    def can_change(self) -> bool:
        return "a build" not in self.places

    def write(self) -> None:
        if self.can_change():
            self.writes += 1
            self.controller.state = self.writes

    def run(self, program: list[Step]) -> None:
        for step in program:
            self.operate(step)

    def operate(self, step: Step) -> None:
        match step:
            case ("write",):
                self.write()
            case ("read",):
                if "a disposer" not in self.places:
                    # Posted calls run at both ends of a read; those at its end write after the value was read.
                    before = self.writes
                    value = self.container.read(self.double)
                    self.want(before <= value / 2 <= self.writes, "a read was stale")
            case ("refused", entry):
                self.refused(entry)
            case ("post", count, inner):
                in_threads(self.post(0, count, inner))
            case ("post from two threads", inner):
                first, self.senders = self.senders, self.senders + 2
                in_threads(self.post(first, 3, inner), self.post(first + 1, 3, inner))
            case ("batch", inner):
                with self.container.batch(), self.inside("a batch"):
                    self.run(inner)
            case ("build", inner):
                self.container.read(Provider(lambda ref: self._enter("a build", inner)))
            case ("disposer", inner):
                provider = Provider(lambda ref: ref.on_dispose(lambda: self._enter("a disposer", inner)))
                self.container.read(provider)
                if self.can_change():
                    self.container.invalidate(provider)
            case ("listener", inner) if self.can_change():
                trigger = StateProvider(lambda ref: 0)
                self.container.listen(trigger, lambda previous, value: self._enter("a listener", inner))
                self.container.read(trigger.notifier).state = 1
            case _:
                pass

    def _enter(self, place: str, inner: list[Step]) -> None:
        with self.inside(place):
            self.run(inner)

    # -- parts -----------------------------------------------------------------------------------

    async def run_in_loop(self, program: list[Step], *, delivers: bool) -> None:
        self.container.exists(self.cell)
        for step in program:
            if step[0] == "turn":
                await asyncio.sleep(0)
            else:
                self.operate(step)
        for _ in range(TURNS if delivers else 0):
            await asyncio.sleep(0)
        if delivers:
            self.check()

    def check(self) -> None:
        assert not self.complaints, self.complaints[0]
        assert self.done == self.posted
        assert self.reported == []


@settings(max_examples=20_000 if LONG else 50, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.booleans(), steps, st.booleans()), min_size=1, max_size=3))
def test_calls_of_threads_run_in_order_and_not_inside_operations(parts: list[tuple[bool, list[Step], bool]]) -> None:
    world = World()
    for has_loop, program, delivers in parts:
        if has_loop:
            asyncio.run(world.run_in_loop(program, delivers=delivers))
        else:
            world.run(program)
    for _ in range(20):
        world.container.exists(world.cell)  # a use without a loop runs pending calls
    world.check()
    assert world.container.read(world.double) == world.writes * 2
    world.container.dispose()
