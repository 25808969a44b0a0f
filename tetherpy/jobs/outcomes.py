"""Claims, and the reports of a worker that holds one: outcomes and progress."""

from __future__ import annotations

from datetime import datetime
from math import isnan
from typing import TypeAlias

import attrs

from .arguments import to_number, to_string
from .model import BackgroundJob


@attrs.frozen
class Claim:
    """A job that a worker may run, for as long as ``job.claimed_by`` and ``fencing_token`` match its row.

    ``fencing_token`` is unique among the claims of a job, even if its attempts are reset. Reports of a worker that has
    lost the claim change nothing.
    """

    job: BackgroundJob
    fencing_token: int

    @property
    def id(self) -> int:
        """Return the job's id."""
        return self.job.id

    @property
    def worker_id(self) -> str | None:
        """Return the worker that holds the claim."""
        return self.job.claimed_by

    @property
    def attempt(self) -> int:
        """Return the number of this attempt, counted from 1."""
        return self.job.attempts


@attrs.frozen
class Completed:
    """The handler returned; ``result_json`` is its encoded value."""

    result_json: str | None = None


@attrs.frozen
class Failed:
    """The attempt failed; the job runs again at ``retry_at``, or is FAILED if that is None.

    Texts too long to be useful are stored with their middle left out.
    """

    error: str
    traceback: str | None = None
    retry_at: datetime | None = None


@attrs.frozen
class Snoozed:
    """The handler asked to run again at ``run_at``; the attempt is not counted."""

    run_at: datetime


@attrs.frozen
class Cancelled:
    """The handler stopped, on request or by itself."""

    reason: str


@attrs.frozen
class Released:
    """The worker releases the job; it is due at once, and the attempt is not counted."""


Outcome: TypeAlias = Completed | Failed | Snoozed | Cancelled | Released
"""How an attempt can end."""


@attrs.frozen
class Ack:
    """Report how the attempt of one claim ended; ``logs`` are the lines that it logged, None without any."""

    claim: Claim
    outcome: Outcome
    logs: str | None = None


def _fraction(value: float | None) -> float | None:
    return None if value is None else to_number("progress", value)


def _message(value: str | None) -> str | None:
    return None if value is None else to_string("the message of a progress", value)


@attrs.frozen
class Progress:
    """The progress of a claim: ``fraction`` in 0 to 1, and a message; None keeps what is stored.

    A fraction outside is clamped; NaN changes nothing. Raises ``JobArgumentError`` unless the fraction is a number and
    the message text. ``logs`` are the lines that the attempt has logged until now.
    """

    claim: Claim
    fraction: float | None = attrs.field(default=None, converter=_fraction)
    message: str | None = attrs.field(default=None, converter=_message)
    logs: str | None = None

    @property
    def stored_fraction(self) -> float | None:
        """Return the fraction within 0 to 1; None if it does not change."""
        return None if self.fraction is None or isnan(self.fraction) else min(max(self.fraction, 0.0), 1.0)


@attrs.frozen
class AckAndFetch:
    """The result of a fetch: the claims, and the acks that were not accepted.

    ``rejected`` acks had lost their claim. ``postponed`` acks met a row that another transaction has locked: give them
    again soon. ``next_due`` is when to fetch again: when the next delayed job is due, or in a moment if another
    transaction has locked due jobs, since its end sends no notification if it changes nothing. None means at the next
    change.
    """

    claims: tuple[Claim, ...] = ()
    rejected: tuple[Ack, ...] = ()
    next_due: datetime | None = None
    postponed: tuple[Ack, ...] = ()
