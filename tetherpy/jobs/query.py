"""Which jobs a list shows, and in which order."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

import attrs

from .status import BackgroundJobStatus

CreationOrder: TypeAlias = Literal["ASC", "DESC"]
"""Oldest first or newest first."""

_IS_ID = attrs.validators.and_(attrs.validators.ge(0), attrs.validators.lt(2**63))


@attrs.frozen(kw_only=True)
class JobQuery:
    """Filter and page through jobs; every filter that is None lets all pass.

    Creation order is the order of ids, so a clock that was moved does not reorder a list.
    ``text`` looks for a part of the job key, the payload, the last error or the unique key;
    it and ``queue`` and the dates look at every row that ``status`` or ``job_key`` leaves.

    ``before_id`` lets pass what has a lower id, exclusive. Newest first it is a cursor: the last id of one page asks
    for the next, which costs the same however far back it is, and visits each job once although jobs are added or
    change meanwhile. Oldest first it is only a bound. ``offset`` and ``limit`` count what it leaves. Raises
    ``ValueError`` for what is not 0 to 2**63 - 1.
    """

    status: BackgroundJobStatus | None = None
    job_key: str | None = None
    queue: str | None = None
    unique_key: str | None = None
    text: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    before_id: int | None = attrs.field(default=None, validator=attrs.validators.optional(_IS_ID))
    limit: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(0)))
    offset: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    order_by_creation: CreationOrder = attrs.field(default="ASC", validator=attrs.validators.in_(("ASC", "DESC")))
