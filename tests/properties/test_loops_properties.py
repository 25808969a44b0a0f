"""One container in successive event loops: work pending at the end of a loop runs in the next one.

The loops have a clock that jumps to the next timer, and each starts at a different time. ``TETHERPY_FUZZ=1`` makes the
runs long (``make fuzz``).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tetherpy.reactive import (
    AsyncData,
    AsyncError,
    FutureProvider,
    Provider,
    ProviderContainer,
    Ref,
    StateProvider,
    StreamProvider,
)
from tetherpy.reactive.errors import NoEventLoopError, ProviderError

LONG = bool(os.environ.get("TETHERPY_FUZZ"))
CACHE_TIME = 5.0
LONGEST = 1_000.0
"""Seconds of the loop's clock after which all finite work has ended."""


class Abort(BaseException):
    """A BaseException like that of pytest.fail."""


class JumpingLoop(asyncio.SelectorEventLoop):
    """A loop that does not wait for its timers: its clock jumps to the next one."""

    def __init__(self, start: float) -> None:
        super().__init__()
        self.now = start

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        scheduled: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]
        waiting = [handle.when() for handle in scheduled if not handle.cancelled()]
        if not self._ready and waiting:  # type: ignore[attr-defined]
            self.now = max(self.now, min(waiting))
        super()._run_once()  # type: ignore[misc]


@attrs.frozen
class Spec:
    """A provider: its result, and the number of failures before it, each retried after some seconds."""

    kind: str
    seconds: float
    fails: int
    delay: float
    ending: str
    watches: bool


specs = st.lists(
    st.builds(
        Spec,
        kind=st.sampled_from(["future", "future", "stream", "provider"]),
        seconds=st.sampled_from([0.0, 0.0, 1.0, 3.0]),
        fails=st.integers(0, 2),
        # Without a delay builds begin while asyncio.run ends its tasks too: nothing cancels those.
        delay=st.sampled_from([0.0, 0.0, 2.0, 7.0]),
        ending=st.sampled_from(["value", "value", "error", "abort", "group"]),
        watches=st.booleans(),
    ),
    min_size=1,
    max_size=3,
)
ACTIONS = ("read", "listen", "leave", "wait", "wait", "invalidate", "change", "post", "cached", "turn", "sleep")
BETWEEN = ("leave", "change", "post", "cached")
parts = st.lists(
    st.tuples(
        st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 20)), max_size=7),
        st.lists(st.tuples(st.sampled_from(BETWEEN), st.integers(0, 20)), max_size=2),
        st.sampled_from([0.0, 50.0, 10_000.0]),
    ),
    min_size=1,
    max_size=4,
)


class World:
    """A container at module level, and providers that need time."""

    def __init__(self, nodes: list[Spec]) -> None:
        self.specs = nodes
        self.trigger = StateProvider(lambda ref: 0, name="trigger")
        self.changes = 0
        self.left = [spec.fails for spec in nodes]
        self.subscriptions: list[Any] = []
        self.waiters: list[asyncio.Task[Any]] = []
        self.reported: list[BaseException] = []
        self.posted = 0
        self.called: list[int] = []
        self.cached = 0
        self.providers = [self._provider(index, spec) for index, spec in enumerate(nodes)]
        self.cache = Provider(self._create_cached, name="cached", auto_dispose=True)
        self.container = ProviderContainer(on_error=lambda error, provider: self.reported.append(error))

    # -- providers -------------------------------------------------------------------------------

    def _provider(self, index: int, spec: Spec) -> Any:
        create: Any = {"future": self._future, "stream": self._stream, "provider": self._create}[spec.kind]
        kind: Any = {"future": FutureProvider, "stream": StreamProvider, "provider": Provider}[spec.kind]
        return kind(
            lambda ref: create(ref, index),
            name=f"{spec.kind}{index}",
            retry=lambda count, error: spec.delay if isinstance(error, OSError) else None,
        )

    def _result(self, index: int, changes: int) -> tuple[int, int]:
        if self.left[index]:
            self.left[index] -= 1
            raise OSError("once more")
        match self.specs[index].ending:
            case "error":
                raise LookupError(index)
            case "abort" if self.specs[index].kind != "provider":
                raise Abort
            case "group" if self.specs[index].kind != "provider":
                raise BaseExceptionGroup("several", [Abort()])
            case _:
                return index, changes

    def _changes(self, ref: Ref, index: int) -> int:
        return ref.watch(self.trigger) if self.specs[index].watches else 0

    def _create(self, ref: Ref, index: int) -> tuple[int, int]:
        if asyncio._get_running_loop() is None:
            self.left[index] = 0  # it would fail permanently: nothing is retried without a loop
        return self._result(index, self._changes(ref, index))

    async def _future(self, ref: Ref, index: int) -> tuple[int, int]:
        changes = self._changes(ref, index)
        await asyncio.sleep(self.specs[index].seconds)
        return self._result(index, changes)

    async def _stream(self, ref: Ref, index: int) -> AsyncIterator[tuple[int, int]]:
        changes = self._changes(ref, index)
        await asyncio.sleep(self.specs[index].seconds)
        yield self._result(index, changes)
        await asyncio.Event().wait()

    def _create_cached(self, ref: Ref) -> int:
        self.cached += 1
        ref.cache_for(CACHE_TIME)
        ref.on_dispose(lambda: setattr(self, "cached", self.cached - 1))
        return self.cached

    # -- actions ---------------------------------------------------------------------------------

    def act(self, action: str, pick: int) -> None:
        index = pick % len(self.providers)
        provider = self.providers[index]
        match action:
            case "read":
                with contextlib.suppress(ProviderError):
                    self.container.read(provider)
            case "listen":
                self.subscriptions.append(self.container.listen(provider, lambda previous, state: None))
            case "leave" if self.subscriptions:
                self.subscriptions.pop(pick % len(self.subscriptions)).close()
            case "wait" if self.specs[index].kind != "provider":
                self.waiters.append(asyncio.ensure_future(self._wait(provider)))
            case "invalidate":
                self.container.invalidate(provider)
            case "change":
                self.changes += 1
                self.container.read(self.trigger.notifier).state = self.changes
            case "post":
                number, self.posted = self.posted, self.posted + 1
                thread = threading.Thread(
                    target=lambda: self.container.call_soon_threadsafe(lambda: self.called.append(number))
                )
                thread.start()
                thread.join()
            case "cached":
                self.container.listen(self.cache, lambda previous, value: None).close()
            case _:
                pass

    async def _wait(self, provider: Any) -> Any:
        return await self.container.read(provider.future)

    async def part(self, program: list[tuple[str, int]]) -> None:
        self.container.exists(self.trigger)
        for action, pick in program:
            match action:
                case "turn":
                    await asyncio.sleep(0)
                case "sleep":
                    await asyncio.sleep(pick % 4)
                case _:
                    self.act(action, pick)

    async def last_part(self) -> None:
        """Wait for all providers, with or without listeners."""
        container = self.container
        listens = [container.listen(provider, lambda previous, state: None) for provider in self.providers]
        if "provider" in [spec.kind for spec in self.specs]:
            await asyncio.sleep(LONGEST)
        for index, provider in enumerate(self.providers):
            if self.specs[index].kind != "provider":
                try:
                    outcome = await asyncio.wait_for(container.read(provider.future), LONGEST)
                except TimeoutError:
                    raise AssertionError(f"{provider!r} never has a value: {container.read(provider)!r}") from None
                except BaseException as error:
                    outcome = error
                self.check(index, outcome)
                state = container.read(provider)
                assert isinstance(state, AsyncError if isinstance(outcome, BaseException) else AsyncData)
            else:
                try:
                    self.check(index, container.read(provider))
                except ProviderError as error:
                    self.check(index, error.__cause__)
        await asyncio.sleep(LONGEST)
        assert self.called == list(range(self.posted)), "a call of a thread was lost"
        assert self.cached == 0, "cached state is never disposed"
        for listening in listens:
            listening.close()

    def check(self, index: int, outcome: Any) -> None:
        spec, name = self.specs[index], self.providers[index]
        match spec.ending:
            case "error":
                assert isinstance(outcome, LookupError), f"{name!r}: {outcome!r}"
            case "abort" if spec.kind != "provider":
                assert isinstance(outcome, Abort) or isinstance(outcome.__cause__, Abort), f"{name!r}: {outcome!r}"
            case "group" if spec.kind != "provider":
                found = outcome if isinstance(outcome, BaseExceptionGroup) else outcome.__cause__
                assert isinstance(found, BaseExceptionGroup), f"{name!r}: {outcome!r}"
            case _:
                assert outcome == (index, self.changes if spec.watches else 0), f"{name!r}: {outcome!r}"

    def check_waiters(self) -> None:
        """Check that no awaiter is left when its loop ends, and each has its value or was cancelled."""
        for waiter in self.waiters:
            assert waiter.done()
            if not waiter.cancelled():
                waiter.exception()
        self.waiters.clear()


def run(main: Any, start: float) -> None:
    with asyncio.Runner(loop_factory=lambda: JumpingLoop(start)) as runner:
        runner.run(main)


# A stream that is built while asyncio.run ends has its first event after the loop has ended the generators it knew.
@pytest.mark.filterwarnings("ignore:asynchronous generator:ResourceWarning")
@settings(max_examples=20_000 if LONG else 100, deadline=None, suppress_health_check=list(HealthCheck))
@given(specs, parts)
def test_work_pending_at_the_end_of_a_loop_runs_in_the_next(
    nodes: list[Spec], program: list[tuple[list[tuple[str, int]], list[tuple[str, int]], float]]
) -> None:
    world = World(nodes)
    for actions, between, start in program:
        run(world.part(actions), start)
        world.check_waiters()
        for action, pick in between:
            world.act(action, pick)
    run(world.last_part(), 77.0)
    unexpected = [error for error in world.reported if not isinstance(error, (OSError, LookupError, NoEventLoopError))]
    unexpected = [error for error in unexpected if not isinstance(error, (Abort, BaseExceptionGroup))]
    assert not unexpected
    world.container.dispose()
