"""The filters and the order of a list of jobs, and one page of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias, TypedDict, get_args

import attrs

from .arguments import HIGHEST, check_bounds, to_instant, to_integer, to_status, to_string
from .errors import JobArgumentError
from .payload.meta import check_meta
from .status import BackgroundJobStatus

if TYPE_CHECKING:
    from .model import BackgroundJob

CreationOrder: TypeAlias = Literal["ASC", "DESC"]
"""Oldest first or newest first."""

LISTED = 100
"""How many jobs a list has by default."""


class ListOptions(TypedDict, total=False):
    """The page of a list of jobs; meaning and defaults are those of ``JobQuery``."""

    limit: int | None
    offset: int
    cursor: int | None
    order_by_creation: CreationOrder


def _meta(value: Mapping[str, str] | tuple[tuple[str, str], ...] | None) -> tuple[tuple[str, str], ...] | None:
    # A tuple, so that equal queries have the same hash; attrs.evolve passes it again.
    given = dict(value) if isinstance(value, tuple) and _are_pairs(value) else value
    return None if given is None else tuple(sorted(check_meta("JobQuery.meta", given).items())) or None


def _are_pairs(given: tuple[Any, ...]) -> bool:
    return all(pair.__class__ is tuple and [*map(type, pair)] == [str, str] for pair in given)


def _status(value: BackgroundJobStatus | str | None) -> BackgroundJobStatus | None:
    return None if value is None else to_status(value)


_CONVERTERS: Mapping[str, Callable[[str, object], object]] = {
    "job_key": to_string,
    "queue": to_string,
    "unique_key": to_string,
    "text": to_string,
    "created_after": to_instant,
    "created_before": to_instant,
    "cursor": to_integer,
    "limit": to_integer,
    "offset": to_integer,
}


@attrs.frozen(kw_only=True)
class JobQuery:
    """Filter and page through jobs, by default the newest hundred; a filter that is None matches every job.

    Creation order is the order of ids, so a changed clock does not reorder a list. ``text`` matches a part of the job
    key, the payload, the last error, the unique key or the meta. ``meta``, a mapping of strings, matches jobs that have
    all of its pairs. ``text``, ``meta``, ``queue`` and the dates scan every row that ``status`` or ``job_key`` selects.

    ``limit`` None lists all jobs. ``cursor`` starts after a job: pass the ``next`` of a page to get the page that
    follows it. Every page costs the same, and a job is listed once even if jobs are added, deleted or changed between
    two pages. ``offset`` and ``limit`` apply after it. Raises ``JobArgumentError`` for numbers outside 0 to 2**63 - 1
    and for values of other types, ``UnknownStatusError`` for an unknown status, which may be given as text.
    """

    status: BackgroundJobStatus | None = attrs.field(default=None, converter=_status)
    job_key: str | None = None
    queue: str | None = None
    unique_key: str | None = None
    text: str | None = None
    meta: tuple[tuple[str, str], ...] | None = attrs.field(default=None, converter=_meta)
    created_after: datetime | None = None
    created_before: datetime | None = None
    limit: int | None = LISTED
    offset: int = 0
    cursor: int | None = None
    order_by_creation: CreationOrder = "DESC"

    @property
    def reads_every_row(self) -> bool:
        """Whether no index supports the query, so that it may take long."""
        return any(
            given is not None for given in (self.text, self.meta, self.queue, self.created_after, self.created_before)
        )

    @property
    def follows(self) -> str:
        """Return the SQL operator between the ids of this list and its cursor."""
        return "<" if self.order_by_creation == "DESC" else ">"

    @property
    def fetched(self) -> int | None:
        """Return how many rows to fetch: one more than ``limit``, which tells whether there is a next page."""
        return None if self.limit is None else min(self.limit + 1, HIGHEST)

    @property
    def merged(self) -> int | None:
        """Return how many rows to fetch of each list that is merged into this one."""
        return None if self.limit is None else min(self.limit + 1 + self.offset, HIGHEST)

    def __attrs_post_init__(self) -> None:
        for name, convert in _CONVERTERS.items():
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, convert(f"JobQuery.{name}", value))
        for name in ("cursor", "limit", "offset"):
            number: int | None = getattr(self, name)
            if number is not None:
                check_bounds(f"JobQuery.{name}", number, least=0)
        if self.order_by_creation not in get_args(CreationOrder):
            raise JobArgumentError("JobQuery.order_by_creation", self.order_by_creation, "it must be 'ASC' or 'DESC'")


class JobPage(list["BackgroundJob"]):
    """One page of a list of jobs; ``next`` is the cursor of the page that follows, None after the last."""

    next: int | None

    def __init__(self, jobs: Iterable[BackgroundJob] = (), next: int | None = None) -> None:  # noqa: A002 - it is the attribute
        super().__init__(jobs)
        self.next = next

    @classmethod
    def of(cls, query: JobQuery, rows: Sequence[tuple[Any, ...]], read: Callable[[Any], list[BackgroundJob]]) -> Self:
        """Return the page of the rows that a query fetched; the id is the first column."""
        listed = rows if query.limit is None else rows[: query.limit]
        return cls(read(listed), listed[-1][0] if listed and len(rows) > len(listed) else None)

    def __eq__(self, other: object) -> bool:
        # Equal jobs with another cursor are another page, so a live list publishes it. A plain list has no cursor.
        if isinstance(other, JobPage) and self.next != other.next:
            return False
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other  # the operator of list does not compare the cursors

    __hash__ = None  # pyright: ignore[reportAssignmentType]
