"""Live queries of jobs: the result of a query, and again after each change of it.

One hub serves all subscriptions of a process to one engine. A change wakes it: it reads the revision numbers once,
repeats the queries that they affect, and notifies listeners of results that differ.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import attrs

from tetherpy.database import DatabaseClosedError, DatabaseLockedError, DatabaseUnavailableError
from tetherpy.subscribers import call_subscriber

from ..engine import JobStore
from ..model import BackgroundJob
from .job_queries import OneJob, RowVersions, ViewQuery
from .rate_limit import RateLimiter

logger = logging.getLogger("tetherpy.jobs")

AGAIN_SECONDS = 0.5
"""While its server cannot be reached a store is asked this often, or at once when it says that something changed."""
_PASSING = (DatabaseLockedError, DatabaseUnavailableError)
"""Errors that end no stream: the same question can be answered later."""


@attrs.frozen(eq=False)
class Listener:
    """Receive results, and the end of them: an error, or the close of the store."""

    on_answer: Callable[[Any], None]
    on_error: Callable[[Exception], None]
    on_closed: Callable[[DatabaseClosedError], None]


_NOTHING = object()


@attrs.define(eq=False)
class LiveView:
    """The last result of one query, and its listeners."""

    query_of_view: ViewQuery
    answer: Any = _NOTHING
    listeners: list[Listener] = attrs.Factory(list["Listener"])
    _asked: int = 0
    _answered: int = 0

    def begin(self) -> int:
        """Take a number for an answer that is being read."""
        self._asked += 1
        return self._asked

    def publish(self, number: int, answer: Any) -> None:
        """Tell the listeners of an answer that differs, unless a later one was faster."""
        if number < self._answered:
            return
        self._answered = number
        if answer == self.answer:
            return
        self.answer = answer
        for listener in tuple(self.listeners):
            self.tell(listener)

    def tell(self, listener: Listener) -> None:
        """Tell one listener the last answer."""
        call_subscriber("jobs", listener.on_answer, self.answer)

    def fail(self, error: Exception) -> None:
        """Tell the listeners that there will be no more answers."""
        listeners, self.listeners = self.listeners, []
        for listener in listeners:
            if isinstance(error, DatabaseClosedError):
                call_subscriber("jobs", listener.on_closed, error)
            else:
                call_subscriber("jobs", listener.on_error, error)


@attrs.define(eq=False)
class LiveViewHub:
    """Keep the views of one engine fresh; without listeners it holds nothing and asks nothing."""

    store: JobStore
    rate_limiter: RateLimiter = attrs.Factory(RateLimiter)
    _views: dict[ViewQuery, LiveView] = attrs.Factory(dict["ViewQuery", LiveView])
    _revisions: RowVersions = attrs.Factory(dict[str, int])
    _unhook: Callable[[], None] | None = None
    _dirty: bool = False
    _tasks: set[asyncio.Task[None]] = attrs.Factory(set["asyncio.Task[None]"])
    _refreshing: asyncio.Task[None] | None = None
    _retry: asyncio.TimerHandle | None = None

    def listen(self, query_of_view: ViewQuery, listener: Listener) -> Callable[[], None]:
        """Notify ``listener`` of the result now and after each change; return the remover.

        The first answer comes at once if another listener has it already, else as soon as it is
        read. Call it in the engine's loop.
        """
        if self._unhook is None:
            self._unhook = self.store.on_change(self._wake, self._fail_all)
        view = self._views.get(query_of_view)
        if view is None:
            view = self._views[query_of_view] = LiveView(query_of_view)
            self._start(self._answer_each([view]))
        view.listeners.append(listener)
        if view.answer is not _NOTHING:
            view.tell(listener)

        def stop() -> None:
            if listener in view.listeners:
                view.listeners.remove(listener)
                self._drop_if_unwatched(view)

        return stop

    @property
    def is_idle(self) -> bool:
        """Tell whether nothing is watched, hooked or running."""
        return not (self._views or self._unhook or self._tasks)

    def _drop_if_unwatched(self, view: LiveView) -> None:
        if not view.listeners:
            self._forget(view)
        self._rest_if_unwatched()

    def _forget(self, view: LiveView) -> None:
        if self._views.get(view.query_of_view) is view:
            del self._views[view.query_of_view]

    def _rest_if_unwatched(self) -> None:
        if not self._views and self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if not self._views and self._unhook is not None:
            self._unhook()
            self._unhook = None
            task = self._refreshing
            # No loop runs if an iterator is dropped after its loop has ended.
            if task is not None and not (task.get_loop().is_closed() or task is _current_task()):
                task.cancel()
                self._refreshing = None

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _wake(self) -> None:
        self._dirty = True
        if self._refreshing is None:
            self._refreshing = self._start(self._refresh_while_dirty())

    async def _refresh_while_dirty(self) -> None:
        try:
            while self._dirty and self._views:
                await self.rate_limiter.turn()
                self._dirty = False
                await self._refresh()
                self.rate_limiter.refreshed()
        finally:
            if self._refreshing is asyncio.current_task():
                self._refreshing = None

    async def _refresh(self) -> None:
        # Revisions first: a later change wakes the hub again, so no change is missed.
        before = self._revisions
        try:
            after = self._revisions = await self.store.revisions()
        except Exception as error:
            self._fail_all(error)
            return
        await self._answer_each(
            [
                view
                for view in self._views.values()
                if view.answer is _NOTHING or view.query_of_view.is_touched(view.answer, before, after)
            ]
        )

    async def _answer_each(self, views: Sequence[LiveView]) -> None:
        numbers = [view.begin() for view in views]
        known = await self._read_jobs_together(views)
        for view, number in zip(views, numbers, strict=True):
            try:
                query_of_view = view.query_of_view
                if isinstance(query_of_view, OneJob) and query_of_view.job_id in known:
                    answer: Any = known[query_of_view.job_id]
                else:
                    answer = await query_of_view.ask(self.store)
            except Exception as error:
                self._fail(view, error)
            else:
                view.publish(number, answer)

    async def _read_jobs_together(self, views: Sequence[LiveView]) -> Mapping[int, BackgroundJob]:
        job_ids = [view.query_of_view.job_id for view in views if isinstance(view.query_of_view, OneJob)]
        if len(job_ids) <= 1:
            return {}
        try:
            return await self.store.get_many(job_ids)
        except Exception:
            logger.exception("could not read watched jobs together; reading them one by one")
            return {}

    def _fail_all(self, error: Exception) -> None:
        if isinstance(error, _PASSING):
            self._ask_again_later()
            return
        for view in tuple(self._views.values()):
            self._fail(view, error)

    def _ask_again_later(self) -> None:
        # Live queries survive the loss of a server: all of them are repeated once it responds again.
        self._revisions = {}
        if self._retry is None:
            self._retry = asyncio.get_running_loop().call_later(AGAIN_SECONDS, self._ask_again)

    def _ask_again(self) -> None:
        self._retry = None
        if self._views:
            self._wake()

    def _fail(self, view: LiveView, error: Exception) -> None:
        if isinstance(error, _PASSING):
            self._ask_again_later()
            return
        # Removed first: a listener that subscribes again at once needs a new view, which runs its query.
        self._forget(view)
        view.fail(error)
        self._rest_if_unwatched()


def _current_task() -> asyncio.Task[Any] | None:
    return None if asyncio._get_running_loop() is None else asyncio.current_task()  # pyright: ignore[reportPrivateUsage]
