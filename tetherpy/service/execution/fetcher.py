"""The fetcher: acknowledges outcomes and claims jobs, both in one call of the engine."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta

import attrs

from tetherpy.database import DatabaseClosedError, DatabaseReplacedError, SchemaNewerError
from tetherpy.jobs import Ack, AckAndFetch, JobEngine, Progress, Released, WallClock

from .executor import Executor
from .progress_reports import ProgressBoard
from .store_retries import retry_pauses

LONGEST_NAP = timedelta(seconds=30)
"""Maximum of one sleep until a job is due, because the clock may be changed during the sleep."""
POSTPONED_SECONDS = 0.1
"""Pause before an outcome is stored again whose job was locked by another transaction."""

_logger = logging.getLogger("tetherpy.service")


@attrs.define(eq=False)
class Fetcher:
    """Acknowledge ended attempts and claim jobs for free slots, after each wake-up.

    It is woken by a change of jobs, an ended attempt, a free slot or a due job, and queries the table for no other
    reason. Attempts that end during a call are acknowledged in the next one: the busier a worker is, the more jobs
    share a transaction. ``keys`` returns the job keys that it claims, None for every key. ``on_fetched`` is called
    after each call; its ``all_busy`` tells whether there was work for all free slots.
    """

    engine: JobEngine
    worker_id: str
    queues: Sequence[str] | None
    executor: Executor
    progress: ProgressBoard
    clock: WallClock
    on_fetched: Callable[..., None]
    keys: Callable[[], Collection[str] | None] = lambda: None
    _wake: asyncio.Event = attrs.field(init=False, factory=asyncio.Event)
    _acks: list[Ack] = attrs.field(init=False, factory=list[Ack])
    _stored_already: set[int] = attrs.field(init=False, factory=set[int])
    _due: asyncio.TimerHandle | None = attrs.field(init=False, default=None)
    _draining: bool = attrs.field(init=False, default=False)
    _fetching: bool = attrs.field(init=False, default=False)
    on_begun: Callable[[], None] = attrs.field(init=False, default=lambda: None)
    """Called after claimed jobs have begun."""

    def wake(self) -> None:
        """Run the next call at once."""
        self._wake.set()

    def acknowledge(self, ack: Ack, may_be_stored: bool = False) -> None:
        """Store the outcome of an attempt with the next call.

        An outcome that may be stored already is stored again: the handler's transaction, which would have stored it,
        may have been rolled back.
        """
        self._acks.append(ack)
        if may_be_stored:
            self._stored_already.add(ack.claim.id)
        self._wake.set()

    def drain(self) -> None:
        """Stop claiming; ``run`` returns when every outcome is stored."""
        self._draining = True
        self._wake.set()

    @property
    def is_fetching(self) -> bool:
        """Tell whether a call is in progress, whose claims are not known yet."""
        return self._fetching

    @property
    def is_idle(self) -> bool:
        """Tell whether no job runs, no outcome waits to be stored, and no call is in progress."""
        return not (self._fetching or self.executor.running or self._acks)

    async def run(self) -> None:
        """Acknowledge and claim until drained."""
        self._wake.set()
        while not (self._draining and self.is_idle):
            await self._wake.wait()
            self._wake.clear()
            slots = 0 if self._draining else self.executor.free_slots
            if not self._acks and not slots:
                continue
            self._fetching = True
            ack_and_fetch = await self._ack_and_fetch(slots)
            self._fetching = False
            self.on_fetched(all_busy=len(ack_and_fetch.claims) == slots)
            for claim in ack_and_fetch.claims:
                if self._draining:
                    # Drained during the call: release the job without starting it.
                    self.acknowledge(Ack(claim, Released()))
                else:
                    self.executor.start(claim)
            if ack_and_fetch.claims:
                self.on_begun()
            self._wake_at(ack_and_fetch.next_due)
            if ack_and_fetch.postponed:
                self._acks += ack_and_fetch.postponed
                asyncio.get_running_loop().call_later(POSTPONED_SECONDS, self.wake)
        self._wake_at(None)

    def _log_rejected(self, rejected: Iterable[Ack]) -> None:
        for late in rejected:
            _logger.warning(
                "Attempt %d of job %d ended as %s, but the job no longer belongs to this worker",
                late.claim.attempt,
                late.claim.id,
                type(late.outcome).__name__,
                extra={"job_id": late.claim.id, "worker_id": self.worker_id},
            )

    async def _ack_and_fetch(self, slots: int) -> AckAndFetch:
        acks, self._acks = self._acks, []
        stored_already, self._stored_already = self._stored_already, set()
        progress = self.progress.take(ack.claim for ack in acks)
        for pause in retry_pauses():
            try:
                ack_and_fetch = await self._store(acks, progress, slots)
            except (DatabaseClosedError, DatabaseReplacedError, SchemaNewerError):
                # A handler closed the database, the file was replaced, or the schema is newer: the worker must end.
                raise
            except Exception:
                # Keep the outcomes until they are stored. If the lease is lost, the fencing token rejects them.
                _logger.exception("%d outcomes could not be stored; trying again in %g s", len(acks), pause)
            else:
                self._log_rejected(late for late in ack_and_fetch.rejected if late.claim.id not in stored_already)
                self._stored_already |= stored_already & {later.claim.id for later in ack_and_fetch.postponed}
                return ack_and_fetch
            await asyncio.sleep(pause)
            if self._draining:
                slots = 0
        raise AssertionError("there is always another pause")

    async def _store(self, acks: list[Ack], progress: list[Progress], slots: int) -> AckAndFetch:
        ack_and_fetch = self.engine.ack_and_fetch(self.worker_id, acks, slots, self.queues, self.keys())
        if not progress:
            return await ack_and_fetch
        # Both calls are made in one iteration of the loop, so they share one commit.
        stored, answer = await asyncio.gather(
            self.engine.report_progress(progress), ack_and_fetch, return_exceptions=True
        )
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(stored, BaseException):
            # Progress is best effort; its error must not discard the claims.
            _logger.error("Progress of %d jobs could not be stored", len(progress), exc_info=stored)
        return answer

    def _wake_at(self, due: datetime | None) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
        if due is not None:
            nap = max(min(due - self.clock(), LONGEST_NAP), timedelta(0))
            self._due = asyncio.get_running_loop().call_later(nap.total_seconds(), self.wake)
