"""The executor: runs the handlers of claimed jobs and decides the outcomes."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import os
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import attrs

from tetherpy.jobs import Ack, Claim, Completed, Outcome, PayloadDecodeError, encode, wait_observer

from ..errors import NoSuchHandlerError
from ..logs.attempt_log import current_attempt
from ..logs.attempt_logs import AttemptLogs
from ..logs.outcomes import log_outcome
from ..protocol.wait_bounds import HANDLER_GRACE_SECONDS
from ..worker.fork_guard import exit_if_forked
from .handlers import HandlerRegistry, JobHandler
from .job_run import Interruption, JobRun
from .outcome_policy import OutcomePolicy
from .slot_waits import SlotWaits


def _nothing() -> None:
    pass


@attrs.define(eq=False)
class Executor:
    """Run claimed jobs (plain ``def`` handlers in threads) and report the outcome of each attempt.

    ``arguments`` returns the service and the database with which a handler is called.
    ``on_acknowledged`` is called once for each attempt, with its outcome, and with True if that may be stored already
    because the handler completed the job. ``on_free`` is called when a slot becomes free. That is later than the
    outcome if a handler ignores its cancellation. ``on_stuck`` is called when such handlers hold all slots.
    """

    registry: HandlerRegistry
    arguments: Callable[[JobRun, JobHandler], tuple[Any, Any]]
    outcome_policy: OutcomePolicy
    slots: int
    logs: AttemptLogs = attrs.field(factory=AttemptLogs)
    grace: float = HANDLER_GRACE_SECONDS
    on_acknowledged: Callable[[Ack, bool], None] = attrs.field(init=False)
    on_free: Callable[[], None] = attrs.field(init=False)
    on_stuck: Callable[[], None] = _nothing
    _runs: dict[int, JobRun] = attrs.field(init=False, factory=dict[int, JobRun])
    _occupied: int = attrs.field(init=False, default=0)
    _threads: ThreadPoolExecutor | None = attrs.field(init=False, default=None)
    _pid: int = attrs.field(init=False, factory=os.getpid)
    _waits: SlotWaits = attrs.field(
        init=False, default=attrs.Factory(lambda self: SlotWaits(self.slots), takes_self=True)
    )

    @property
    def free_slots(self) -> int:
        """Return how many more jobs may start."""
        return self.slots - self._occupied

    @property
    def running(self) -> frozenset[int]:
        """Return the jobs whose outcome is not decided yet."""
        return frozenset(self._runs)

    @property
    def is_stuck(self) -> bool:
        """Tell whether all slots are held by handlers that still run after their outcome was decided."""
        return self.free_slots == 0 and not self._runs

    def start(self, claim: Claim) -> None:
        """Start an attempt in a new task."""
        loop = asyncio.get_running_loop()
        run = JobRun(claim, self.logs.start(claim), loop.time())
        self._runs[claim.id] = run
        self._occupied += 1
        try:
            run.handler = self.registry.find(claim.job.job_key)
        except NoSuchHandlerError as error:
            loop.call_soon(self._refuse, run, error)
            return
        run.cancellable = run.handler.is_async
        timeout = claim.job.timeout or run.handler.timeout
        if timeout is not None:
            run.timeout = timeout
            run.timer = loop.call_later(timeout.total_seconds(), self._interrupt, run, Interruption.TIMED_OUT)
        run.task = loop.create_task(self._attempt(run, run.handler))
        run.task.add_done_callback(partial(self._on_done, run))

    def cancel(self, job_ids: Iterable[int]) -> None:
        """Ask the running ones of these jobs to end, without a bound on how long they take."""
        for job_id in job_ids:
            if run := self._runs.get(job_id):
                run.interrupt(Interruption.CANCELLED)

    def release_all(self) -> None:
        """Ask all running jobs to end, so that they can be released."""
        for run in tuple(self._runs.values()):
            self._interrupt(run, Interruption.RELEASED)

    def close(self) -> None:
        """Let the threads of plain handlers end; those of handlers that still run end with them."""
        if self._threads is not None:
            self._threads.shutdown(wait=False)

    async def _attempt(self, run: JobRun, handler: JobHandler) -> Outcome:
        current_attempt.set(run.log)
        outcome, error = await self._outcome(run, handler)
        run.error = error
        for callback in reversed(run.on_end):
            try:
                await callback(error)
            except BaseException as failure:
                error = failure
                if isinstance(outcome, Completed):
                    run.error = failure
                    outcome = self.outcome_policy.outcome_of(run, failure)
        return outcome

    async def _outcome(self, run: JobRun, handler: JobHandler) -> tuple[Outcome, BaseException | None]:
        """Run the handler; return the outcome, and the error for the context managers of the job."""
        try:
            payload = handler.payload_of(run.claim.job)
        except PayloadDecodeError as error:
            return self.outcome_policy.final_failure(error), error
        service, db = self.arguments(run, handler)
        wait_observer.set(partial(self._waits.waiting, run.claim.id, run.claim.job.job_key))
        try:
            if handler.is_async:
                value = await handler.function(service, payload, db)
            else:
                value = await self._in_thread(run, handler.function, service, payload, db)
                if inspect.isawaitable(value):
                    value = await _in_loop(run, value)
            exit_if_forked(self._pid)
            if (early_end := run.early_end) is not None:
                return self.outcome_policy.interrupted(run), early_end
            return Completed(encode(value)), None
        except GeneratorExit:
            raise
        except BaseException as error:
            exit_if_forked(self._pid)
            return self.outcome_policy.outcome_of(run, error), error

    async def _in_thread(self, run: JobRun, function: Callable[..., Any], *args: Any) -> Any:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self.slots, thread_name_prefix="job")
        context = contextvars.copy_context()
        call = partial(_call, self._pid, context, run, function, args)
        result, error = await asyncio.get_running_loop().run_in_executor(self._threads, call)
        if error is not None:
            raise error
        return result

    def _interrupt(self, run: JobRun, why: Interruption) -> None:
        run.interrupt(why)
        asyncio.get_running_loop().call_later(self.grace, self._abandon, run)

    def _abandon(self, run: JobRun) -> None:
        if not run.acknowledged:
            self._acknowledge(run, self.outcome_policy.interrupted(run))
            if self.is_stuck:
                self.on_stuck()

    def _refuse(self, run: JobRun, error: NoSuchHandlerError) -> None:
        run.error = error
        self._acknowledge(run, self.outcome_policy.final_failure(error))
        self._free()

    def _on_done(self, run: JobRun, task: asyncio.Task[Outcome]) -> None:
        if not run.acknowledged:
            self._acknowledge(run, self._decided(run, task))
        self._free()

    def _decided(self, run: JobRun, task: asyncio.Task[Outcome]) -> Outcome:
        # A task that was cancelled before its first step has no outcome, nor has one whose handler raised
        # GeneratorExit.
        if task.cancelled():
            return self.outcome_policy.interrupted(run)
        error = task.exception()
        return task.result() if error is None else self.outcome_policy.outcome_of(run, error)

    def _acknowledge(self, run: JobRun, outcome: Outcome) -> None:
        run.acknowledged = True
        if run.timer is not None:
            run.timer.cancel()
        # The job may have been rescued and claimed by this worker again. Keep that newer run.
        if self._runs.get(run.claim.id) is run:
            del self._runs[run.claim.id]
        ack = Ack(run.claim, outcome, self.logs.end(run.log))
        self.on_acknowledged(ack, run.completed and isinstance(outcome, Completed))
        # Called later: an error in a log handler or filter of the app must not stop the executor.
        loop = asyncio.get_running_loop()
        seconds, now = loop.time() - run.started, self.outcome_policy.clock()
        loop.call_soon(log_outcome, run.claim, outcome, run.error, seconds, now)

    def _free(self) -> None:
        self._occupied -= 1
        self.on_free()


async def _in_loop(run: JobRun, value: Awaitable[Any]) -> Any:
    """Await the awaitable returned by a plain function, unless the attempt was asked to end."""
    if run.cancelled:
        if inspect.iscoroutine(value):
            value.close()
        return None
    run.cancellable = True
    try:
        return await value
    finally:
        run.cancellable = False


def _call(
    worker_pid: int,
    context: contextvars.Context,
    run: JobRun,
    function: Callable[..., Any],
    args: tuple[Any, ...],
) -> tuple[Any, BaseException | None]:
    # Returned as values: a future does not accept StopIteration, and SystemExit would end the loop.
    result, error = None, None
    try:
        result = context.run(function, *args)
    except BaseException as raised:
        error = raised
    finally:
        exit_if_forked(worker_pid)
    failure = context.run(run.end_in_thread, error)
    return result, failure if error is None else error
