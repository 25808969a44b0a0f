"""The teardown of a build: its tasks are cancelled, its disposers run, its context managers are left, in this order.

Synchronous steps run at once. After an asynchronous step, the remaining steps wait for it, and so do the teardowns of
all dependencies of the build.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextvars import ContextVar
from typing import Any, Final

from ..asynchronous.promise import Promise
from ..errors import NoEventLoopError
from .cleanup import Begun, end_stranded
from .context_managers import Unwinding, leave_managers
from .hooks import Closer, Disposer, Hooks
from .running_loop import running_loop
from .teardown_order import Host, Key, Node, Teardowns, is_below, key_of, keys_used_by


class Errand:
    """The teardown that a task runs for; the task of a build runs the function first, and then its teardown."""

    __slots__ = ("teardown",)

    def __init__(self, teardown: Teardown | None) -> None:
        self.teardown = teardown


current_errand: Final[ContextVar[Errand | None]] = ContextVar("current_errand", default=None)
"""The errand of the current task. Tasks that it starts inherit it."""


def current_teardown() -> Teardown | None:
    """Return the teardown that the current task runs for, if that has not ended."""
    errand = current_errand.get()
    teardown = None if errand is None else errand.teardown
    return None if teardown is None or teardown.done.done else teardown


class Teardown:
    """The clean-up after one build has ended.

    Args:
        element: the element whose build ends.
        hooks: the hooks of the build, if it has any.
    """

    __slots__ = (
        "_closers",
        "_disposers",
        "_earlier",
        "_hosted_by",
        "_is_waiting",
        "_keys",
        "_pending",
        "_registry",
        "_task",
        "_tasks",
        "_unwinding",
        "done",
        "element",
        "host",
        "key",
        "loop",
        "passed",
    )

    _unwinding: Unwinding
    key: Key
    done: Promise[None]
    """Settled at the end. This, ``passed`` and the key are set only if others can wait for it: most end at once."""
    passed: Promise[None]
    """Settled when the dependencies of this build no longer need to wait."""

    def __init__(self, element: Node, hooks: Hooks | None) -> None:
        self.element: Any = element
        self.host: Host = element.host
        self.loop = running_loop()
        self._registry: Teardowns[Teardown] = element.host.scheduler.loops.teardowns
        self._disposers: list[Disposer] | None = None
        self._closers: list[Closer] | None = None
        self._tasks: list[asyncio.Task[Any]] | None = None
        self._hosted_by: Callable[[Teardown, Coroutine[Any, Any, None]], asyncio.Task[Any]] | None = None
        if hooks is not None:
            if hooks.disposers:
                self._disposers = list(hooks.disposers.values())
                self._disposers.reverse()
            if hooks.closers:
                self._closers = hooks.closers
                self._unwinding = self.host.unwinding or Unwinding(None)
                if hooks.unfinished:
                    self.give_up()
            if hooks.tasks:
                self._tasks = self._cancel(hooks.tasks)
            hooks.disposers = hooks.closers = hooks.tasks = None

    def give_up(self) -> None:
        """Pass a CancelledError to the context managers, unless the container was closed with another error."""
        if self._closers and self._unwinding.error is None:
            self._unwinding = Unwinding(asyncio.CancelledError("The build was given up before it had a value."))

    def _cancel(self, tasks: Iterable[asyncio.Task[Any]]) -> list[asyncio.Task[Any]]:
        """End tasks, and return those to wait for: a task of a loop that does not run may never end."""
        waiting: list[asyncio.Task[Any]] = []
        for task in tuple(tasks):
            loop = task.get_loop()
            if loop.is_closed():
                end_stranded(task, self.element.provider, self.host.report)
            elif task.cancel() and loop is running_loop():
                waiting.append(task)
        return waiting

    def wait_in(self, run: Callable[[Teardown, Coroutine[Any, Any, None]], asyncio.Task[Any]]) -> None:
        """Run the asynchronous part in the task of the build, after the function of the build has ended.

        Context managers with a cancel scope must be left in the task that entered them.
        """
        self._hosted_by = run

    def start(self, ref: Any) -> None:
        """Run the synchronous steps now, and the rest in the background."""
        if not (self._disposers or self._closers or self._tasks or self._hosted_by is not None):
            return
        earlier = self._registry.before_end(self.element) if self._registry.pending else []
        pending: Awaitable[object] | None = None
        if not earlier:
            pending = self._run_disposers()
            if pending is None and not self._tasks and self._hosted_by is None:
                pending = self._run_closers()
                if pending is None:
                    return
        if self.loop is None:
            self._finish_without_loop(pending)
            return
        self._earlier = earlier
        self._pending = pending
        self._is_waiting = False
        self._task: asyncio.Task[Any] | None = None
        self.done = Promise()
        self.passed = Promise()
        self.key = key_of(self.element)
        self._keys = [self.key, *keys_used_by(self.element, ref)]
        self._registry.add(self, self._keys)
        self._continue()

    def _continue(self) -> None:
        self.loop = running_loop()
        work = self._finish()
        # Not loop.create_task: an eager task would begin inside the walk that ends the build.
        task = asyncio.Task(Begun(work)) if self._hosted_by is None else self._hosted_by(self, work)
        self._task = task
        task.add_done_callback(self._on_task_done)
        self.host.in_background(task, self.element.provider)

    def _on_task_done(self, task: asyncio.Task[Any]) -> None:
        if not self.done.done:
            # The end of the loop cancelled it before its first step: continue in the next loop.
            self.host.scheduler.loops.call_in_next_loop(self, self.resume)

    def resume(self) -> None:
        """Continue in the current loop a teardown whose loop has ended."""
        if self.done.done or self._task is None or not (self._task.done() or self._task.get_loop().is_closed()):
            return
        if self._is_waiting:
            self._is_waiting = False
            remedy = "It was closed before an asynchronous disposer had ended: close the container within the loop."
            self._report(NoEventLoopError(self.element.provider, remedy))
        self._hosted_by = None
        self._tasks = self._cancel(self._tasks or ())
        self._continue()

    def awaits(self, element: Node) -> None:
        """Note that a disposer waits for a new value of an element.

        If the build depended on the element, the element's former build waits for this teardown, and its new build
        waits for the former: a deadlock. So the dependencies of this build stop waiting for this teardown.
        """
        if key_of(element) in self._keys and not self.passed.done:
            self.passed.resolve(None)

    # -- steps -----------------------------------------------------------------------------------

    def _run_disposers(self) -> Awaitable[object] | None:
        """Call the disposers up to the first one that returns an awaitable, and return that."""
        while self._disposers:
            try:
                result = self._disposers.pop()()
            except BaseException as error:
                self._report(error)
            else:
                if result is not None and inspect.isawaitable(result):
                    return result
        return None

    def _run_closers(self) -> Awaitable[object] | None:
        """Leave the context managers up to the first asynchronous one, and return its awaitable."""
        return leave_managers(self._closers, self._unwinding, self._report) if self._closers else None

    def _finish_without_loop(self, pending: Awaitable[object] | None) -> None:
        while pending is not None:
            self.host.in_background(pending, self.element.provider)  # without a loop this stores an error
            pending = self._run_disposers()
        pending = self._run_closers()
        while pending is not None:
            self.host.in_background(pending, self.element.provider)
            pending = self._run_closers()

    async def _finish(self) -> None:
        current_errand.set(Errand(self))
        cancelled: asyncio.CancelledError | None = None
        for wait in self._steps():
            self._is_waiting = True
            try:
                await wait
            except asyncio.CancelledError as error:
                # The loop is being closed. The remaining steps still run, like a finally clause.
                cancelled = error
            except GeneratorExit:
                raise
            except BaseException as error:
                self._report(error)
            self._is_waiting = False
        self._registry.remove(self, self._keys)
        self.done.resolve(None)
        if not self.passed.done:
            self.passed.resolve(None)
        if cancelled is not None:
            raise cancelled

    def _steps(self) -> Iterable[Awaitable[object]]:
        for other in self._earlier:
            yield other.passed
        current = asyncio.current_task()
        tasks = [task for task in self._tasks or () if task is not current]
        if tasks:
            yield asyncio.wait(tasks)
        pending, self._pending = self._pending, None
        if pending is not None:
            yield pending
        while (pending := self._run_disposers()) is not None:
            yield pending
        while (pending := self._run_closers()) is not None:
            yield pending

    def _report(self, error: BaseException) -> None:
        self.host.report(error, self.element.provider)

    def __repr__(self) -> str:
        return f"<teardown of {self.element.provider!r}>"


def is_torn_down_under(host: Any) -> bool:
    """Return whether the current task runs a teardown of a container or of one of its children."""
    teardown = current_teardown()
    return teardown is not None and (teardown.host is host or is_below(teardown.host, host))


async def ended(teardowns: list[Teardown]) -> None:
    """Wait for the end of teardowns, except for the teardown that calls this."""
    current = current_teardown()
    for teardown in teardowns:
        if teardown is not current:
            await teardown.done
