"""The worker's loop: outcomes in, claims out, in one exchange with the engine."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta

import attrs

from tetherpy.database import DatabaseClosedError, DatabaseReplacedError, SchemaNewerError
from tetherpy.jobs import Ack, AckAndFetch, Clock, JobEngine, Progress, Released

from .executor import Executor
from .progress_reports import ProgressBoard
from .store_retries import retry_pauses

LONGEST_NAP = timedelta(seconds=30)
"""A wait for a due job is cut into such pieces, because the clock may be moved meanwhile."""
POSTPONED_SECONDS = 0.1
"""After this long an outcome is given again whose job another transaction has locked."""

_logger = logging.getLogger("tetherpy.service")


@attrs.define(eq=False)
class Fetcher:
    """Settle what has ended and claim for the slots that are free, whenever something woke it.

    Awake it is made by a change to jobs, an ended attempt, a free slot or a job that falls due;
    it never looks at the table for any other reason. What ends while an exchange is under way is
    in the next one, so that the busier a worker is the more jobs share a transaction.
    ``keys`` are the job keys that it claims, None for every key.
    ``looked`` is told after each exchange whether it found work for all slots that were free.
    """

    engine: JobEngine
    worker_id: str
    queues: Sequence[str] | None
    executor: Executor
    progress: ProgressBoard
    clock: Clock
    looked: Callable[..., None]
    keys: Callable[[], Collection[str] | None] = lambda: None
    _wake: asyncio.Event = attrs.field(init=False, factory=asyncio.Event)
    _settlements: list[Ack] = attrs.field(init=False, factory=list[Ack])
    _stored_already: set[int] = attrs.field(init=False, factory=set[int])
    _due: asyncio.TimerHandle | None = attrs.field(init=False, default=None)
    _draining: bool = attrs.field(init=False, default=False)
    _exchanging: bool = attrs.field(init=False, default=False)
    on_begun: Callable[[], None] = attrs.field(init=False, default=lambda: None)
    """Called after claimed jobs have begun."""

    def wake(self) -> None:
        """Make the loop look at once."""
        self._wake.set()

    def acknowledge(self, ack: Ack, may_be_stored: bool = False) -> None:
        """Take an attempt's outcome, to be stored with the next exchange.

        One that may be stored already is given all the same: the handler's transaction, which would
        have stored it, may have been rolled back.
        """
        self._settlements.append(ack)
        if may_be_stored:
            self._stored_already.add(ack.claim.id)
        self._wake.set()

    def drain(self) -> None:
        """Claim nothing more; ``run`` returns when every outcome is stored."""
        self._draining = True
        self._wake.set()

    @property
    def is_exchanging(self) -> bool:
        """Tell whether an exchange is under way, whose claims are not known here yet."""
        return self._exchanging

    @property
    def is_idle(self) -> bool:
        """Tell whether nothing runs, no outcome waits to be stored, and no exchange is under way."""
        return not (self._exchanging or self.executor.running or self._settlements)

    async def run(self) -> None:
        """Exchange until drained."""
        self._wake.set()
        while not (self._draining and self.is_idle):
            await self._wake.wait()
            self._wake.clear()
            slots = 0 if self._draining else self.executor.free_slots
            if not self._settlements and not slots:
                continue
            self._exchanging = True
            ack_and_fetch = await self._exchange(slots)
            self._exchanging = False
            self.looked(all_busy=len(ack_and_fetch.claims) == slots)
            for claim in ack_and_fetch.claims:
                if self._draining:
                    # Told to end while the claim was under way: it has not begun, so it need not end.
                    self.acknowledge(Ack(claim, Released()))
                else:
                    self.executor.start(claim)
            if ack_and_fetch.claims:
                self.on_begun()
            self._wake_at(ack_and_fetch.next_due)
            if ack_and_fetch.postponed:
                self._settlements += ack_and_fetch.postponed
                asyncio.get_running_loop().call_later(POSTPONED_SECONDS, self.wake)
        self._wake_at(None)

    def _tell_of_late(self, rejected: Iterable[Ack]) -> None:
        for late in rejected:
            _logger.warning(
                "Attempt %d of job %d ended as %s, but is no longer this worker's",
                late.claim.attempt,
                late.claim.id,
                type(late.outcome).__name__,
                extra={"job_id": late.claim.id, "worker_id": self.worker_id},
            )

    async def _exchange(self, slots: int) -> AckAndFetch:
        acks, self._settlements = self._settlements, []
        stored_already, self._stored_already = self._stored_already, set()
        progress = self.progress.take(ack.claim for ack in acks)
        for pause in retry_pauses():
            try:
                ack_and_fetch = await self._store(acks, progress, slots)
            except (DatabaseClosedError, DatabaseReplacedError, SchemaNewerError):
                # A handler closed the database, it is another one, or another schema: this worker has to end.
                raise
            except Exception:
                # Outcomes are kept until they are stored or the lease is lost; the fence decides.
                _logger.exception("%d outcomes could not be stored; trying again in %g s", len(acks), pause)
            else:
                self._tell_of_late(late for late in ack_and_fetch.rejected if late.claim.id not in stored_already)
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
        # Asked for in this order in one turn of the loop, both are in one commit.
        told, answer = await asyncio.gather(
            self.engine.report_progress(progress), ack_and_fetch, return_exceptions=True
        )
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(told, BaseException):
            # It is advice; an exchange that was answered is not to be lost for it.
            _logger.error("Progress of %d jobs could not be stored", len(progress), exc_info=told)
        return answer

    def _wake_at(self, due: datetime | None) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
        if due is not None:
            nap = max(min(due - self.clock(), LONGEST_NAP), timedelta(0))
            self._due = asyncio.get_running_loop().call_later(nap.total_seconds(), self.wake)
