"""Which jobs a list shows, and in which order."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

import attrs

from .status import BackgroundJobStatus

CreationOrder: TypeAlias = Literal["ASC", "DESC"]
"""Oldest first or newest first."""


@attrs.frozen(kw_only=True)
class JobQuery:
    """Filter and page through jobs; every filter that is None lets all pass.

    Creation order is the order of ids, so a clock that was moved does not reorder a list.
    ``text`` looks for a part of the job key, the payload, the last error or the unique key;
    it and ``queue`` and the dates look at every row that ``status`` or ``job_key`` leaves.
    """

    status: BackgroundJobStatus | None = None
    job_key: str | None = None
    queue: str | None = None
    unique_key: str | None = None
    text: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    limit: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(0)))
    offset: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    order_by_creation: CreationOrder = attrs.field(default="ASC", validator=attrs.validators.in_(("ASC", "DESC")))
