"""The shared state of the fixtures of one test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import AsyncExitStack, ExitStack
from typing import Any

import attrs
import pytest

from .containers import TestContainers
from .errors import TestingArgumentError
from .leaks import KINDS, Leak, LeakCheck, report_of
from .test_end import ended_with

FAILED = pytest.StashKey[bool]()
"""Whether the body of a test failed: what it left behind is no news then."""


@attrs.define(eq=False)
class Lifetime:
    """Resources to dispose at the end of a test, and the leak check.

    ``loop`` is the loop of the test, None before it is known and in a test without one. ``before_end``
    is left before anything is disposed, ``after_containers`` after all containers are.
    """

    allowed: frozenset[str] = frozenset()
    loop: asyncio.AbstractEventLoop | None = None
    before_end: ExitStack = attrs.field(init=False, factory=ExitStack)
    after_containers: AsyncExitStack = attrs.field(init=False, factory=AsyncExitStack)
    containers: TestContainers = attrs.field(init=False, factory=TestContainers)
    _leaks: list[Leak] = attrs.field(init=False, factory=list[Leak])
    _check: LeakCheck = attrs.field(init=False, factory=LeakCheck)
    _on_begin: list[Callable[[asyncio.AbstractEventLoop], object]] = attrs.field(init=False, factory=list[Any])

    def begin(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Take note of the test's loop; None if it has none."""
        if loop is None:
            return
        self.loop = loop
        self._check.begin_in(loop)
        for callback in self._on_begin:
            callback(loop)

    def when_begun(self, callback: Callable[[asyncio.AbstractEventLoop], object]) -> None:
        """Call ``callback`` with the test's loop as soon as it is known, now if it is."""
        if self.loop is None:
            self._on_begin.append(callback)
        else:
            callback(self.loop)

    @property
    def is_needed(self) -> bool:
        """Always true: leaks are found only by disposing."""
        return True

    async def dispose(self) -> None:
        """Dispose everything and record leaks; raises the errors of the disposal."""
        self.before_end.close()
        self._leaks += await self._check.in_use(self.containers.opened)
        try:
            async with self.after_containers:
                await self.containers.dispose()
        finally:
            self._leaks += await self._check.left()

    def fail_on_leaks(self) -> None:
        """Fail the test if it has leaks."""
        unwanted = [leak for leak in (*self._leaks, *self._check.left_open()) if leak.kind not in self.allowed]
        if unwanted:
            pytest.fail(report_of(unwanted), pytrace=False)


def lifetime_of(request: pytest.FixtureRequest) -> Generator[Lifetime]:
    """Yield the lifetime of a test; if the test passed and left resources open, fail it."""
    test: Any = request.node
    lifetime = Lifetime(_allowed(test))
    with lifetime.containers.collected():
        for _ in ended_with(request, lifetime):
            yield lifetime
    if not test.stash.get(FAILED, False):
        lifetime.fail_on_leaks()


def _allowed(test: Any) -> frozenset[str]:
    allowed = frozenset(kind for mark in test.iter_markers("allow_leaks") for kind in mark.args or KINDS)
    if unknown := sorted(allowed.difference(KINDS)):
        raise TestingArgumentError("@pytest.mark.allow_leaks", unknown[0], f"it takes {', '.join(map(repr, KINDS))}")
    return allowed
