"""The filters, order and page of a list of jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Literal, TypeAlias, get_args

import attrs

from .arguments import check_bounds, to_instant, to_integer, to_status, to_string
from .errors import JobArgumentError
from .status import BackgroundJobStatus

CreationOrder: TypeAlias = Literal["ASC", "DESC"]
"""Oldest first or newest first."""


def _status(value: BackgroundJobStatus | str | None) -> BackgroundJobStatus | None:
    return None if value is None else to_status(value)


_CONVERTERS: Mapping[str, Callable[[str, object], object]] = {
    "job_key": to_string,
    "queue": to_string,
    "unique_key": to_string,
    "text": to_string,
    "created_after": to_instant,
    "created_before": to_instant,
    "before_id": to_integer,
    "limit": to_integer,
    "offset": to_integer,
}


@attrs.frozen(kw_only=True)
class JobQuery:
    """Filter and page through jobs; a filter that is None matches every job.

    Creation order is the order of ids, so a changed clock does not reorder a list. ``text`` matches a part of the job
    key, the payload, the last error or the unique key; ``text``, ``queue`` and the dates scan every row that ``status``
    or ``job_key`` selects.

    ``before_id`` matches lower ids. Newest first it is a cursor: pass the last id of a page to get the next one. Every
    page costs the same, and each job is visited once even if jobs are added or change. Oldest first it is only a bound.
    ``offset`` and ``limit`` apply after it. Raises ``JobArgumentError`` for numbers outside 0 to 2**63 - 1 and for
    values of other types, ``UnknownStatusError`` for an unknown status, which may be given as text.
    """

    status: BackgroundJobStatus | None = attrs.field(default=None, converter=_status)
    job_key: str | None = None
    queue: str | None = None
    unique_key: str | None = None
    text: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    before_id: int | None = None
    limit: int | None = None
    offset: int = 0
    order_by_creation: CreationOrder = "ASC"

    @property
    def reads_every_row(self) -> bool:
        """Whether no index supports the query, so that it may take long."""
        return any(given is not None for given in (self.text, self.queue, self.created_after, self.created_before))

    def __attrs_post_init__(self) -> None:
        for name, convert in _CONVERTERS.items():
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, convert(f"JobQuery.{name}", value))
        for name in ("before_id", "limit", "offset"):
            number: int | None = getattr(self, name)
            if number is not None:
                check_bounds(f"JobQuery.{name}", number, least=0)
        if self.order_by_creation not in get_args(CreationOrder):
            raise JobArgumentError("JobQuery.order_by_creation", self.order_by_creation, "it must be 'ASC' or 'DESC'")
