"""``JobProvider``: a provider whose value is a durable job.

It enqueues its job once, is loading (with the job's progress) while a worker runs it, and holds its result
afterwards. The job is found again by its unique key, which is made of the provider's name and its payload:
after a restart of the app, the same provider shows the same job, running or finished.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import ExitStack, aclosing
from typing import Any, ClassVar, Concatenate, Generic, ParamSpec, TypeVar

import attrs

from tetherpy.errors import TetherError
from tetherpy.jobs import BackgroundJob, BackgroundJobManager, BackgroundJobStatus, encode, observed_wait
from tetherpy.reactive import (
    AsyncData,
    AsyncError,
    AsyncLoading,
    AsyncResult,
    AsyncState,
    AsyncValue,
    Family,
    ProviderListenable,
    ProviderOptions,
    Ref,
    StateStreamProviderBase,
    latest,
    make_options,
)

T = TypeVar("T")
P = ParamSpec("P")


class JobProviderError(TetherError):
    """The error of a JobProvider whose job ended FAILED or CANCELLED, or is gone.

    Attributes:
        job_key: the key of its job.
        job: the job as it ended, or None if it was deleted while it was watched.
    """

    def __init__(self, job_key: str, job: BackgroundJob | None) -> None:
        ended = "was deleted" if job is None else f"ended {job.status}: {job.last_error or 'no reason was given'}"
        number = "" if job is None else f" {job.id}"
        super().__init__(
            f"The {job_key!r} job{number} {ended}. Invalidate the provider to run it again; "
            "manager.get_attempts(id) shows what each attempt did."
        )
        self.job_key = job_key
        self.job = job


@attrs.frozen
class _JobDeclaration(Generic[T]):
    """What all members of a family share: how to get the job, and what its states mean."""

    job_key: str
    name: str
    result: type[T]
    manager: ProviderListenable[BackgroundJobManager]
    cancel_on_dispose: bool
    priority: int
    max_attempts: int
    queue: str

    def bound_to(self, payload: Callable[..., object]) -> Callable[[Ref], AsyncIterator[AsyncValue[T]]]:
        """Return the provider's function: it has the job found or enqueued at once, and then follows it."""

        def create(ref: Ref) -> AsyncIterator[AsyncValue[T]]:
            manager = ref.watch(self.manager)
            given = payload(ref)
            job_id = ref.create_task(AsyncValue.guard_async(lambda: self._job_id(manager, given, again=ref.is_refresh)))
            if self.cancel_on_dispose:
                ref.on_dispose(lambda: _cancel(manager, job_id))
            return self._follow(manager, job_id)

        return create

    async def _job_id(self, manager: BackgroundJobManager, payload: object, *, again: bool) -> int:
        """Return the latest job of this provider and payload; enqueue one if there is none, or to run it again."""
        identity = hashlib.sha256((encode(payload) or "").encode()).hexdigest()[:32]
        unique_key = f"provider:{self.name}:{identity}"
        if not again:
            latest = await manager.find_jobs(unique_key=unique_key, limit=1, order_by_creation="DESC")
            if latest:
                return latest[0].id
        return await manager.enqueue(
            self.job_key,
            payload,
            priority=self.priority,
            max_attempts=self.max_attempts,
            queue=self.queue,
            unique_key=unique_key,
        )

    async def _follow(
        self, manager: BackgroundJobManager, job_id: Awaitable[AsyncResult[int]]
    ) -> AsyncIterator[AsyncValue[T]]:
        known_id = (await job_id).require_value
        watched = manager.watch_job(known_id)

        def listen(
            on_next: Callable[[BackgroundJob | None], None],
            on_error: Callable[[Exception], None],
            on_completed: Callable[[], None],
        ) -> Callable[[], None]:
            return watched.subscribe(on_next, on_error, on_completed).dispose

        async with aclosing(latest(listen)) as jobs:
            with ExitStack() as wait:
                wait.enter_context(observed_wait(known_id))
                async for job in jobs:
                    if job is None or job.status.is_finished:
                        wait.close()
                    yield self._state(job)

    def _state(self, job: BackgroundJob | None) -> AsyncState[T]:
        if job is None or job.status in (BackgroundJobStatus.FAILED, BackgroundJobStatus.CANCELLED):
            return AsyncError(JobProviderError(self.job_key, job))
        if job.status is BackgroundJobStatus.COMPLETED:
            return AsyncData(job.result_as(self.result))
        return AsyncLoading(job.progress)


async def _cancel(manager: BackgroundJobManager, job_id: asyncio.Task[AsyncResult[int]]) -> None:
    if job_id.cancelled() or not job_id.done() or not isinstance(job_id.result(), AsyncData):
        return
    job = await manager.get_job_by_id(job_id.result().require_value)
    if job is not None and not job.status.is_finished:
        await manager.cancel_job(job.id)


def _constant(payload: object) -> Callable[[Ref], object]:
    return lambda _: payload


class JobProvider(StateStreamProviderBase[T], Generic[T]):
    """A value that a background job computes, watched as an AsyncValue.

    Args:
        job_key: which handler computes it.
        payload: what the handler is given; a function of a Ref may watch other providers to make it.
        result: the type that the handler's result is decoded to.
        manager: the provider of the app's BackgroundJobManager.
        name: shown in messages and part of the job's identity; the job key by default.
        auto_dispose: dispose the value when nobody uses it any more; the job itself goes on.
        cancel_on_dispose: cancel the job, if it has not ended, when the value is disposed.
        dependencies: the scoped providers it uses.
        priority: higher runs first.
        max_attempts: how often it is tried.
        queue: which queue it waits in.
    """

    __slots__ = ()

    family: ClassVar[JobProviderFamily]

    def __init__(
        self,
        job_key: str,
        *,
        result: type[T],
        manager: ProviderListenable[BackgroundJobManager],
        payload: object | Callable[[Ref], object] = None,
        name: str | None = None,
        auto_dispose: bool = False,
        cancel_on_dispose: bool = False,
        dependencies: Iterable[Any] | None = None,
        priority: int = 0,
        max_attempts: int = 3,
        queue: str = "default",
    ) -> None:
        job = _JobDeclaration(
            job_key, name or job_key, result, manager, cancel_on_dispose, priority, max_attempts, queue
        )
        create = payload if inspect.isroutine(payload) else _constant(payload)
        super().__init__(
            job.bound_to(create), name=name or job_key, auto_dispose=auto_dispose, dependencies=dependencies
        )


class JobProviderFamily:
    """Declares families of JobProviders: ``JobProvider.family("report", payload=lambda ref, year: ..., ...)``."""

    __slots__ = ()

    def __call__(
        self,
        job_key: str,
        *,
        payload: Callable[Concatenate[Ref, P], object],
        result: type[T],
        manager: ProviderListenable[BackgroundJobManager],
        name: str | None = None,
        auto_dispose: bool = False,
        cancel_on_dispose: bool = False,
        dependencies: Iterable[Any] | None = None,
        priority: int = 0,
        max_attempts: int = 3,
        queue: str = "default",
    ) -> Family[P, Callable[Concatenate[Ref, P], object], JobProvider[T]]:
        """Declare a family; its arguments are those of ``payload`` after ``ref``, and so is its identity."""
        job = _JobDeclaration(
            job_key, name or job_key, result, manager, cancel_on_dispose, priority, max_attempts, queue
        )

        def make(create: Callable[..., Any], options: ProviderOptions, membership: Any) -> JobProvider[T]:
            return JobProvider[T].made(job.bound_to(create), options, membership)

        options = make_options(name or job_key, auto_dispose, dependencies, None)
        return Family(payload, options, make, passes_ref=True)


JobProvider.family = JobProviderFamily()
