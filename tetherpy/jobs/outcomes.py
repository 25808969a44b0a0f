"""How an attempt ended, and the claim that entitles a worker to say so."""

from __future__ import annotations

from datetime import datetime
from math import isnan
from typing import TypeAlias

import attrs

from .arguments import to_number, to_string
from .model import BackgroundJob


@attrs.frozen
class Claim:
    """Hold a job that a worker may run; ``job.claimed_by`` and ``fencing_token`` must still be those of its row.

    ``fencing_token`` is a number that each claim of a job has for itself, whatever is done to its attempts meanwhile.
    Whatever the worker reports for a claim changes nothing once the job has been taken from it.
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
    """The handler stopped, on request or of its own accord."""

    reason: str


@attrs.frozen
class Released:
    """The worker stops and hands the job back at once; the attempt is not counted."""


Outcome: TypeAlias = Completed | Failed | Snoozed | Cancelled | Released
"""How an attempt can end."""


@attrs.frozen
class Ack:
    """Report how the attempt of one claim ended."""

    claim: Claim
    outcome: Outcome


def _fraction(value: float | None) -> float | None:
    return None if value is None else to_number("progress", value)


def _message(value: str | None) -> str | None:
    return None if value is None else to_string("the message of a progress", value)


@attrs.frozen
class Progress:
    """Report how far one claim is: ``fraction`` in 0 to 1, or None to change the message alone.

    What lies outside is stored as the nearer end; NaN changes nothing. Raises ``JobArgumentError`` for a
    fraction that is no number and a message that is no text.
    """

    claim: Claim
    fraction: float | None = attrs.field(default=None, converter=_fraction)
    message: str | None = attrs.field(default=None, converter=_message)

    @property
    def stored_fraction(self) -> float | None:
        """Return the fraction within 0 to 1; None if it does not change."""
        return None if self.fraction is None or isnan(self.fraction) else min(max(self.fraction, 0.0), 1.0)


@attrs.frozen
class AckAndFetch:
    """Answer a worker: what it may run now, and what became of what it reported.

    ``rejected`` are the settlements whose fence did not match: they came too late. ``postponed`` are those whose
    row another transaction has locked: give them again, soon. ``next_due`` is when to look again, None for not
    before a change wakes the worker: when the earliest delayed job falls due, or in a moment if there is work that
    another transaction has locked, since nobody hears of that one's end if it changes nothing.
    """

    claims: tuple[Claim, ...] = ()
    rejected: tuple[Ack, ...] = ()
    next_due: datetime | None = None
    postponed: tuple[Ack, ...] = ()
