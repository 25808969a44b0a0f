"""Leave the context managers that a build has entered."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable

from .hooks import Closer


class Unwinding:
    """The error that ends a container's block, on its way through the context managers that were entered.

    Attributes:
        cause: the error of the block, None if it ended without one.
        error: what the next context manager gets: the cause, the error of another context manager, or None.
    """

    __slots__ = ("cause", "error")

    def __init__(self, cause: BaseException | None) -> None:
        self.cause = self.error = cause


def leave_managers(
    closers: list[Closer], unwinding: Unwinding, report: Callable[[BaseException], None]
) -> Awaitable[object] | None:
    """Leave context managers, the last one entered first, up to the first asynchronous one.

    As in an ``ExitStack``, a true result suppresses the error for the managers entered earlier, and an exception
    raised by a manager is passed to them.

    Returns:
        An awaitable to await before the next call, or None if all of them were left.
    """
    while closers:
        try:
            result = closers.pop()(unwinding.error)
        except BaseException as error:
            _failed(unwinding, error, report)
        else:
            if result is not None and inspect.isawaitable(result):
                return _left(result, unwinding, report)
            if result:
                unwinding.error = None
    return None


async def _left(exiting: Awaitable[bool | None], unwinding: Unwinding, report: Callable[[BaseException], None]) -> None:
    try:
        if await exiting:
            unwinding.error = None
    except asyncio.CancelledError:
        raise
    except BaseException as error:
        _failed(unwinding, error, report)


def _failed(unwinding: Unwinding, error: BaseException, report: Callable[[BaseException], None]) -> None:
    if error is not unwinding.error:
        report(error)
        unwinding.error = error
