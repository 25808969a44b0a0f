"""The end of a test, in the event loop that the test itself ran in."""

from __future__ import annotations

import asyncio
import functools
import inspect
import sys
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Protocol

import pytest


class Ending(Protocol):
    """A resource that begins and ends with a test."""

    def begin(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Take note of the test's loop; None if it has none."""
        ...

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to dispose."""
        ...

    async def dispose(self) -> None:
        """Undo what the test did."""
        ...


def ended_with(request: pytest.FixtureRequest, ending: Ending) -> Generator[None]:
    """Begin, give way to the test, dispose: the body of a fixture.

    Under pytest-asyncio it is disposed in its runner, which is set up before and so closed after, when the
    fixtures that depend on this one have ended. Any other ``async def`` test does it itself, as its last step.
    For a synchronous test, or one of ``unittest``, it is disposed in a separate loop.
    """
    test: Any = request.node
    if (runner := _asyncio_runner(request)) is not None:
        ending.begin(runner.get_loop())
        yield
        if ending.is_needed:
            runner.run(ending.dispose())
    elif inspect.iscoroutinefunction(getattr(test, "obj", None)) and not _is_unittest(test):
        test.obj = _ending_itself(test.obj, ending)
        yield
    else:
        ending.begin(None)
        yield
        if ending.is_needed:
            asyncio.run(ending.dispose())


def _asyncio_runner(request: pytest.FixtureRequest) -> asyncio.Runner | None:
    for name in request.node.fixturenames:
        if name.startswith("_") and name.endswith("_scoped_runner"):
            runner = request.getfixturevalue(name)
            return runner if isinstance(runner, asyncio.Runner) else None
    return None


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None  # the test runs in another event loop, such as trio's


def _is_unittest(test: pytest.Item) -> bool:
    # Its tests are run by its own loop, from which nothing of pytest's is called.
    unittest = sys.modules.get("unittest")
    return unittest is not None and issubclass(getattr(test, "cls", None) or object, unittest.TestCase)


def _ending_itself(
    test: Callable[..., Coroutine[Any, Any, None]], ending: Ending
) -> Callable[..., Coroutine[Any, Any, None]]:
    @functools.wraps(test)
    async def whole(*args: Any, **kwargs: Any) -> None:
        ending.begin(_running_loop())
        try:
            await test(*args, **kwargs)
        finally:
            if ending.is_needed:
                await ending.dispose()

    return whole
