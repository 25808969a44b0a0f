"""State machines that run their operations with an event loop, one iteration at a time, or without one."""

from __future__ import annotations

import asyncio
import unittest
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine


class LoopMachine(RuleBasedStateMachine):
    """A machine whose operations run like callbacks of its loop, if it has one."""

    has_loop = False

    def __init__(self) -> None:
        super().__init__()
        self.loop: asyncio.AbstractEventLoop | None = asyncio.new_event_loop() if self.has_loop else None

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Run an operation like a callback of the loop."""
        if self.loop is None:
            yield
            return
        asyncio._set_running_loop(self.loop)
        try:
            yield
        finally:
            asyncio._set_running_loop(None)

    def run_turns(self, count: int) -> None:
        """Run some iterations of the loop."""
        for _ in range(count if self.loop is not None else 0):
            assert self.loop is not None
            self.loop.call_soon(self.loop.stop)
            self.loop.run_forever()

    def teardown(self) -> None:
        if self.loop is not None:
            self.loop.close()


def case_of(machine: type[RuleBasedStateMachine], options: settings) -> type[unittest.TestCase]:
    """Return the test case of a machine, which runs with these settings."""
    case: type[unittest.TestCase] = machine.TestCase
    case.settings = options  # type: ignore[attr-defined]
    return case
