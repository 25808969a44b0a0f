"""Live views of jobs: what a question's answer is, and again whenever it changes.

One hub serves a process' whole interest in one engine. A change anywhere wakes it; it reads the
revision numbers once, asks again only what they touch, and tells listeners only of answers that
differ. Changes are answered at once while they are few; when they keep coming, once per ``throttle``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Hashable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import attrs

from tetherpy.database import DatabaseClosedError

from .engine import JobStore
from .model import BackgroundJob, JobCounts
from .query import JobQuery

logger = logging.getLogger("tetherpy.jobs")

THROTTLE = 0.02
"""Seconds between two refreshes while changes keep coming."""

BURST = 8
"""Refreshes that may follow each other without such a pause, after a time of quiet: a job that is enqueued,
claimed and completed changes three times within a millisecond, and each is to be seen."""

Revisions: TypeAlias = Mapping[str, int]


class Question(Hashable, Protocol):
    """What a view shows; equal questions share one view."""

    async def ask(self, store: JobStore) -> Any:
        """Return the present answer."""
        ...

    def is_touched(self, answer: Any, before: Revisions, after: Revisions) -> bool:
        """Tell whether the answer may have changed between two sets of revisions."""
        ...


@attrs.frozen
class OneJob:
    """Show one job, None while there is none."""

    job_id: int

    async def ask(self, store: JobStore) -> BackgroundJob | None:
        """Return the job."""
        return await store.get(self.job_id)

    def is_touched(self, answer: BackgroundJob | None, before: Revisions, after: Revisions) -> bool:
        """A job's own status moves with it, so others' changes do not matter."""
        if answer is None:
            return before != after
        return before.get(answer.status) != after.get(answer.status)


@attrs.frozen
class ManyJobs:
    """Show the jobs of a query."""

    query: JobQuery

    async def ask(self, store: JobStore) -> list[BackgroundJob]:
        """Return the jobs."""
        return await store.find(self.query)

    def is_touched(self, answer: Any, before: Revisions, after: Revisions) -> bool:
        """Whatever enters, leaves or changes within the status moves its number."""
        status = self.query.status
        return before != after if status is None else before.get(status) != after.get(status)


@attrs.frozen
class Counts:
    """Show how many jobs are in each state."""

    async def ask(self, store: JobStore) -> JobCounts:
        """Return the counts."""
        return await store.counts()

    def is_touched(self, answer: Any, before: Revisions, after: Revisions) -> bool:
        """Every change may move a count."""
        return before != after


@attrs.frozen(eq=False)
class Listener:
    """Receive answers, and what ends them: an error, or that the store was closed."""

    on_answer: Callable[[Any], None]
    on_error: Callable[[Exception], None]
    on_closed: Callable[[DatabaseClosedError], None]


_NOTHING = object()


@attrs.define(eq=False)
class View:
    """Keep one question's last answer and who listens to it."""

    question: Question
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
        _shielded(listener.on_answer, self.answer)

    def fail(self, error: Exception) -> None:
        """Tell the listeners that there will be no more answers."""
        listeners, self.listeners = self.listeners, []
        for listener in listeners:
            if isinstance(error, DatabaseClosedError):
                _shielded(listener.on_closed, error)
            else:
                _shielded(listener.on_error, error)


def _shielded(callback: Callable[[Any], None], value: Any) -> None:
    """Call a listener; if it fails, the others still hear theirs, and the loop reports it."""
    try:
        callback(value)
    except Exception as error:
        context = {"message": "a subscriber of a job stream failed", "exception": error}
        asyncio.get_running_loop().call_exception_handler(context)


@attrs.define(eq=False)
class ViewHub:
    """Keep the views of one engine fresh; without listeners it holds nothing and asks nothing."""

    store: JobStore
    throttle: float = THROTTLE
    _views: dict[Question, View] = attrs.Factory(dict["Question", View])
    _revisions: Revisions = attrs.Factory(dict[str, int])
    _unhook: Callable[[], None] | None = None
    _dirty: bool = False
    _tasks: set[asyncio.Task[None]] = attrs.Factory(set["asyncio.Task[None]"])
    _refreshing: asyncio.Task[None] | None = None
    _credit: float = BURST
    _credited_at: float = 0.0

    def listen(self, question: Question, listener: Listener) -> Callable[[], None]:
        """Tell ``listener`` the answer now and after each change; return what stops it.

        The first answer comes at once if another listener has it already, else as soon as it is
        read. Call it in the engine's loop.
        """
        if self._unhook is None:
            self._unhook = self.store.on_change(self._wake)
        view = self._views.get(question)
        if view is None:
            view = self._views[question] = View(question)
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

    def _drop_if_unwatched(self, view: View) -> None:
        if not view.listeners and self._views.get(view.question) is view:
            del self._views[view.question]
        if not self._views and self._unhook is not None:
            self._unhook()
            self._unhook = None
            if self._refreshing is not None and self._refreshing is not asyncio.current_task():
                self._refreshing.cancel()
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
                await self._pace()
                self._dirty = False
                await self._refresh()
        finally:
            if self._refreshing is asyncio.current_task():
                self._refreshing = None

    async def _pace(self) -> None:
        """Spend one of the refreshes that time has brought, or wait for the next."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self.throttle > 0:
            self._credit = min(BURST, self._credit + (now - self._credited_at) / self.throttle)
        self._credited_at = now
        if self._credit < 1:
            await asyncio.sleep((1 - self._credit) * self.throttle)
            self._credit, self._credited_at = 1.0, loop.time()
        self._credit -= 1

    async def _refresh(self) -> None:
        # Revisions first: what changes after them wakes the hub again, so nothing is missed.
        before = self._revisions
        try:
            after = self._revisions = await self.store.revisions()
        except Exception as error:
            for view in tuple(self._views.values()):
                self._fail(view, error)
            return
        await self._answer_each(
            [
                view
                for view in self._views.values()
                if view.answer is _NOTHING or view.question.is_touched(view.answer, before, after)
            ]
        )

    async def _answer_each(self, views: Sequence[View]) -> None:
        numbers = [view.begin() for view in views]
        known = await self._read_jobs_together(views)
        for view, number in zip(views, numbers, strict=True):
            try:
                question = view.question
                if isinstance(question, OneJob) and question.job_id in known:
                    answer: Any = known[question.job_id]
                else:
                    answer = await question.ask(self.store)
            except Exception as error:
                self._fail(view, error)
            else:
                view.publish(number, answer)

    async def _read_jobs_together(self, views: Sequence[View]) -> Mapping[int, BackgroundJob]:
        job_ids = [view.question.job_id for view in views if isinstance(view.question, OneJob)]
        if len(job_ids) <= 1:
            return {}
        try:
            return await self.store.get_many(job_ids)
        except Exception:
            logger.exception("could not read watched jobs together; reading them one by one")
            return {}

    def _fail(self, view: View, error: Exception) -> None:
        view.fail(error)
        self._drop_if_unwatched(view)
