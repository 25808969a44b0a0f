"""The job of a JobProvider: its identity, how it is found or enqueued, and the value for each of its states."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, aclosing, suppress
from functools import partial
from typing import Any, Generic, TypeAlias, TypeVar, get_args

import attrs

from tetherpy.jobs import (
    BackgroundJob,
    BackgroundJobManager,
    BackgroundJobStatus,
    IllegalJobTransitionError,
    JobDefinition,
    JobDefinitionError,
    JobNotFoundError,
    JobOptions,
    JobQuery,
    NewJob,
    encode,
    observed_wait,
)
from tetherpy.observables import listen_to
from tetherpy.reactive import (
    AsyncData,
    AsyncError,
    AsyncLoading,
    AsyncResult,
    AsyncState,
    AsyncValue,
    NoEventLoopError,
    ProviderContainer,
    Ref,
    latest,
)

from .errors import JobProviderError, error_of
from .job_choice import Answer, Reason, Rules, answer, found, is_cancelled
from .job_watchers import JobWatchers, watchers_of
from .manager_source import ManagerSource, states_without_manager, to_manager_source, watch_manager

_Started: TypeAlias = asyncio.Task[AsyncResult[BackgroundJob | int]]
"""The step of a build that finds its job, or enqueues one: then there is only its id."""

T = TypeVar("T")


@attrs.define(eq=False)
class Memory:
    """Keeps what the builds of one provider in one container have shown."""

    due: str | None = None
    """The unique key for which an invalidation has asked for a new job that is not enqueued yet."""
    job: BackgroundJob | None = None
    """The latest job that it has shown as finished or cancelled."""

    def note(self, job: BackgroundJob) -> None:
        """Remember a job that is finished or cancelled; its row may be deleted later."""
        if job.status.is_finished or is_cancelled(job):
            self.job = job

    def finished(self, unique_key: str) -> BackgroundJob | None:
        """Return the finished job that was shown under a unique key."""
        job = self.job
        return job if job is not None and job.unique_key == unique_key and job.status.is_finished else None

    def has_shown(self, job: BackgroundJob | None) -> bool:
        """Whether it has shown this job as finished or cancelled."""
        return job is not None and self.job is not None and job.id == self.job.id

    def knows_the_end_of(self, started: _Started) -> bool:
        """Whether it has shown the job of a step that has ended as finished."""
        known = self.job
        return (
            known is not None
            and known.status.is_finished
            and not started.cancelled()
            and isinstance(outcome := started.result(), AsyncData)
            and _id(outcome.value) == known.id
        )


def _manager(given: ManagerSource) -> ManagerSource:
    return to_manager_source("JobProvider.manager", given)


@attrs.frozen
class JobDeclaration(Generic[T]):
    """The part that all members of a family share: how to get the job, and the value for each of its states."""

    job_key: str
    name: str
    result: type[T]
    manager: ManagerSource = attrs.field(converter=_manager)
    rules: Rules
    definition: JobDefinition[Any, T] | None
    options: JobOptions

    @classmethod
    def of(
        cls,
        job: str | JobDefinition[Any, T],
        name: str | None,
        result: Any,
        manager: ManagerSource,
        rules: Rules,
        options: JobOptions,
    ) -> JobDeclaration[T]:
        """Return the declaration of a definition's job, or of a key's."""
        definition = job if isinstance(job, JobDefinition) else None
        job_key = job.job_key if isinstance(job, JobDefinition) else job
        NewJob(job_key=job_key, unique_key=None, **options)  # a wrong key or option is an error of the declaration
        if definition is not None:
            if result is not Any:
                raise JobDefinitionError(job_key, "JobProvider was given a result too; the definition has its type")
            result = definition.result_type
        return cls(job_key, name or job_key, result, manager, rules, definition, options)

    def new(self, payload: object, unique_key: str) -> NewJob[T]:
        """Return the job to enqueue."""
        if self.definition is not None:
            return self.definition.new(payload, unique_key=unique_key, **self.options)
        return NewJob(job_key=self.job_key, payload=payload, unique_key=unique_key, **self.options)

    @property
    def _version(self) -> str | None:
        declared = None if self.definition is None else self.definition.options.get("version")
        return self.options.get("version", declared)

    def bound_to(self, payload: Callable[..., object]) -> Callable[..., AsyncIterator[AsyncValue[T]]]:
        """Return the provider's function, which finds or enqueues the job and then follows it."""

        def create(ref: Ref, *, memory: Memory) -> AsyncIterator[AsyncValue[T]]:
            manager = watch_manager(ref, self.manager)
            if isinstance(manager, AsyncValue):
                return states_without_manager(manager)
            given = payload(ref)
            unique_key = self._unique_key(given)
            watch = watchers_of(manager, unique_key)
            job = partial(self._job, manager, given, unique_key, _reason(ref), memory)
            try:
                started = watch.then(lambda: AsyncValue.guard_async(job))
            except RuntimeError as error:
                raise NoEventLoopError(
                    ref.element.provider, "Read it where one runs, as inside asyncio.run(...)."
                ) from error
            watch.begin()
            ref.on_manual_invalidation(lambda: setattr(memory, "due", unique_key))
            ref.on_dispose(lambda: self._end(ref.container, manager, watch, started, memory))
            return self._follow(manager, started, memory)

        return create

    def _unique_key(self, payload: object) -> str:
        parts = [self.job_key, _kind(self.result), encode(payload) or ""]
        if (version := self._version) is not None:
            parts.append(version)
        identity = "\0".join(parts)
        return f"provider:{self.name}:{hashlib.sha256(identity.encode()).hexdigest()[:32]}"

    async def _job(
        self, manager: BackgroundJobManager, payload: object, unique_key: str, reason: Reason, memory: Memory
    ) -> BackgroundJob | int:
        """Return the job to show, or the id of the one that was enqueued."""
        while True:
            jobs = await manager.find_jobs(JobQuery(unique_key=unique_key, limit=1))
            job = jobs[0] if jobs else memory.finished(unique_key)
            if memory.due == unique_key:
                reason = Reason.MANUAL
            now = manager.engine.now()
            latest = found(job, self.rules, now, known_as_cancelled=memory.has_shown(job))
            if job is not None:
                if answer(latest, reason) is Answer.SHOW:
                    memory.due = None
                    return job
                if not job.status.is_finished:
                    # It is being cancelled. While it runs, a job with its unique key cannot be enqueued.
                    with suppress(JobNotFoundError):
                        await manager.wait_for(job.id)
                    continue
            (job_id,) = await manager.enqueue_many([self.new(payload, unique_key)])
            memory.due = None
            return job_id

    async def _follow(
        self, manager: BackgroundJobManager, started: _Started, memory: Memory
    ) -> AsyncIterator[AsyncValue[T]]:
        # Shielded: the step continues after the end of this build, and is then awaited by _leave.
        shown = (await asyncio.shield(started)).require_value
        job_id = _id(shown)
        if isinstance(shown, BackgroundJob):
            memory.note(shown)
            yield self._state(shown)
        async with aclosing(latest(listen_to(manager.watch_job(job_id)))) as jobs:
            with ExitStack() as wait:
                wait.enter_context(observed_wait(job_id))
                async for job in jobs:
                    if job is None or job.status.is_finished:
                        wait.close()
                    if job is None:
                        # Retention deletes finished jobs; keep the state that was shown.
                        known = memory.job
                        if known is None or known.id != job_id or not known.status.is_finished:
                            yield AsyncError(JobProviderError(self.job_key, None))
                        return
                    memory.note(job)
                    yield self._state(job)

    def _state(self, job: BackgroundJob) -> AsyncState[T]:
        if (error := error_of(job)) is not None:
            return AsyncError(error)
        if job.status is BackgroundJobStatus.COMPLETED:
            return AsyncData(job.result_as(self.result))
        return AsyncLoading(job.progress)

    def _end(
        self,
        container: ProviderContainer,
        manager: BackgroundJobManager,
        watch: JobWatchers,
        started: _Started,
        memory: Memory,
    ) -> Awaitable[None] | None:
        watch.end()
        if started.done() and (not self.rules.cancel_on_dispose or memory.knows_the_end_of(started)):
            return None
        return self._leave(container, manager, watch, started)

    async def _leave(
        self,
        container: ProviderContainer,
        manager: BackgroundJobManager,
        watch: JobWatchers,
        started: _Started,
    ) -> None:
        """Wait until the job is enqueued, then cancel it unless another build watches it."""
        if started.get_loop() is asyncio.get_running_loop():
            await asyncio.wait([started])
        if not self.rules.cancel_on_dispose or not started.done() or started.cancelled():
            return
        await asyncio.sleep(0)  # an eager task begins before the next build is requested
        if not container.disposed:
            await container.pump()
        outcome = started.result()
        if isinstance(outcome, AsyncData) and not watch.is_watched:
            await watch.then(partial(_cancel, manager, _id(outcome.value)))


def _id(job: BackgroundJob | int) -> int:
    return job if isinstance(job, int) else job.id


def _reason(ref: Ref) -> Reason:
    if ref.is_first_build:
        return Reason.FIRST
    return Reason.CHANGED if ref.is_reload else Reason.AUTOMATIC


def _kind(result: Any) -> str:
    """Return the name of a result's type, the same in every process."""
    name = getattr(result, "__qualname__", None) or repr(result)
    arguments = get_args(result)
    return f"{name}[{', '.join(map(_kind, arguments))}]" if arguments else str(name)


async def _cancel(manager: BackgroundJobManager, job_id: int) -> None:
    job = await manager.get_job_by_id(job_id)
    if job is not None and not job.status.is_finished:
        with suppress(IllegalJobTransitionError, JobNotFoundError):  # it has ended, or was deleted
            await manager.cancel_job(job_id)
