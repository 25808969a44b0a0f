"""From the beginning of a test to its end, in the event loop that the test itself runs in."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Coroutine, Generator
from contextlib import AsyncExitStack, ExitStack
from typing import Any

import attrs
import pytest

from tetherpy.reactive import ProviderContainer

from .leaks import KINDS, Leak, LeakCheck, report_of

FAILED = pytest.StashKey[bool]()
"""Whether the body of a test failed: what it left behind is no news then."""


@attrs.define(eq=False)
class Lifetime:
    """What the fixtures of one test share: what to dispose at its end, and what must not be left.

    ``loop`` is the loop of the test, None before it is known and in a test without one. ``before_end``
    is left before anything is disposed, ``after_containers`` after all containers are.
    """

    allowed: frozenset[str] = frozenset()
    loop: asyncio.AbstractEventLoop | None = None
    before_end: ExitStack = attrs.field(init=False, factory=ExitStack)
    after_containers: AsyncExitStack = attrs.field(init=False, factory=AsyncExitStack)
    containers: list[ProviderContainer] = attrs.field(init=False, factory=list[ProviderContainer])
    _leaks: list[Leak] = attrs.field(init=False, factory=list[Leak])
    _check: LeakCheck = attrs.field(init=False, factory=LeakCheck)
    _on_begin: list[Callable[[asyncio.AbstractEventLoop], None]] = attrs.field(init=False, factory=list[Any])

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take note of the test's loop."""
        self.loop = loop
        self._check.begin_in(loop)
        for callback in self._on_begin:
            callback(loop)

    def when_begun(self, callback: Callable[[asyncio.AbstractEventLoop], None]) -> None:
        """Call ``callback`` with the test's loop as soon as it is known, now if it is."""
        if self.loop is None:
            self._on_begin.append(callback)
        else:
            callback(self.loop)

    async def dispose(self) -> None:
        """Dispose everything, and note what is left behind; raises what failed meanwhile."""
        self.before_end.close()
        self._leaks += await self._check.in_use(self.containers)
        try:
            async with self.after_containers, AsyncExitStack() as stack:
                for container in self.containers:
                    stack.push_async_callback(container.aclose)
        finally:
            self._leaks += await self._check.left()

    def judge(self) -> None:
        """Fail the test for what it has left behind."""
        unwanted = [leak for leak in (*self._leaks, *self._check.left_open()) if leak.kind not in self.allowed]
        if unwanted:
            pytest.fail(report_of(unwanted), pytrace=False)

    def around(self, test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., Coroutine[Any, Any, None]]:
        """Return a test function that begins and ends this lifetime in its own loop."""

        @functools.wraps(test)
        async def living(*args: Any, **kwargs: Any) -> None:
            self.begin(asyncio.get_running_loop())
            try:
                await test(*args, **kwargs)
            finally:
                await self.dispose()
            self.judge()

        return living


def lifetime_of(request: pytest.FixtureRequest) -> Generator[Lifetime]:
    """Live as long as a test: in the loop of pytest-asyncio's runner, else inside an ``async def`` test itself.

    A runner is set up before and so closed after. A test that is no coroutine has its things disposed in a
    loop of their own.
    """
    test: Any = request.node
    lifetime = Lifetime(_allowed(test))
    if (runner := _asyncio_runner(request)) is not None:
        lifetime.begin(runner.get_loop())
        yield lifetime
        runner.run(lifetime.dispose())
    elif inspect.iscoroutinefunction(test.obj):
        test.obj = lifetime.around(test.obj)
        yield lifetime
        return
    else:
        yield lifetime
        asyncio.run(lifetime.dispose())
    if not test.stash.get(FAILED, False):
        lifetime.judge()


def _asyncio_runner(request: pytest.FixtureRequest) -> asyncio.Runner | None:
    for name in request.node.fixturenames:
        if name.startswith("_") and name.endswith("_scoped_runner"):
            runner = request.getfixturevalue(name)
            return runner if isinstance(runner, asyncio.Runner) else None
    return None


def _allowed(test: Any) -> frozenset[str]:
    return frozenset(kind for mark in test.iter_markers("allow_leaks") for kind in mark.args or KINDS)
