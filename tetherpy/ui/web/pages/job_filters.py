"""The filters of the job table: read from a URL, written into one, and turned into a query."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import attrs

from tetherpy.jobs import BackgroundJobStatus, CreationOrder, JobQuery

PAGE_SIZE = 50
MAX_TEXT = 200
MAX_PAGE = 20_000_000
WINDOWS = {"5m": timedelta(minutes=5), "1h": timedelta(hours=1), "24h": timedelta(hours=24)}
"""The time windows of the charts, by name."""
USUAL_WINDOW = "5m"


LARGEST_ID = 2**63 - 1
_LONGEST_ID = len(str(LARGEST_ID))


def read_id(text: str) -> int | None:
    """Return a job id from untrusted text; None if the text is not an id."""
    if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_ID):
        return None
    return number if (number := int(text)) <= LARGEST_ID else None


@attrs.frozen
class JobFilter:
    """The user's filters, and the page, counted from 1; an empty text does not filter.

    ``meta`` is a pair, ``KEY=VALUE``. ``window`` is the time window of the charts: it does not filter, and is kept in
    links.
    """

    status: BackgroundJobStatus | None = None
    text: str = ""
    job_key: str = ""
    queue: str = ""
    meta: str = ""
    order: CreationOrder = "DESC"
    page: int = 1
    window: str = USUAL_WINDOW

    @classmethod
    def of(cls, params: Mapping[str, str]) -> JobFilter:
        """Read the parameters of a URL; invalid values are ignored."""
        status = None
        with contextlib.suppress(ValueError):
            status = BackgroundJobStatus(params.get("status", "").upper())
        page = read_id(params.get("page", "1")) or 1
        window = params.get("window", "")
        return cls(
            status=status,
            text=params.get("text", "").strip()[:MAX_TEXT],
            job_key=params.get("key", "").strip()[:MAX_TEXT],
            queue=params.get("queue", "").strip()[:MAX_TEXT],
            meta=params.get("meta", "").strip()[:MAX_TEXT].replace("\0", "\ufffd"),
            order="ASC" if params.get("order") == "oldest" else "DESC",
            page=min(page, MAX_PAGE),
            window=window if window in WINDOWS else USUAL_WINDOW,
        )

    @property
    def everything(self) -> JobFilter:
        """Return the same time window without filters."""
        return JobFilter(window=self.window)

    @property
    def job_number(self) -> int | None:
        """Return the id of a search for ``#12``."""
        return read_id(self.text[1:]) if self.text.startswith("#") else None

    @property
    def is_narrowed(self) -> bool:
        """Whether there is a filter other than the status."""
        return bool(self.text or self.job_key or self.queue or self.meta)

    @property
    def query(self) -> JobQuery:
        """Return the query of the page."""
        return JobQuery(
            status=self.status,
            text=self.text or None,
            job_key=self.job_key or None,
            queue=self.queue or None,
            meta=self._pair,
            limit=PAGE_SIZE,
            offset=(self.page - 1) * PAGE_SIZE,
            order_by_creation=self.order,
        )

    @property
    def _pair(self) -> dict[str, str] | None:
        # A text without "=" is a pair with an empty value: a filter that was ignored would let "Delete all" take all.
        key, _, value = self.meta.partition("=")
        return {key: value} if self.meta else None

    @property
    def description(self) -> str:
        """Return the matching jobs in words, for confirmations."""
        jobs = f"all {self.status.lower()} jobs" if self.status else "all jobs"
        return f"{jobs} that match these filters" if self.is_narrowed else jobs

    @property
    def fields(self) -> dict[str, str]:
        """Return the filters as the fields of a form, without defaults."""
        fields = {
            "status": self.status.value.lower() if self.status else "",
            "text": self.text,
            "key": self.job_key,
            "queue": self.queue,
            "meta": self.meta,
            "order": "oldest" if self.order == "ASC" else "",
            "page": str(self.page) if self.page > 1 else "",
            "window": self.window if self.window != USUAL_WINDOW else "",
        }
        return {name: value for name, value in fields.items() if value}

    def params(self, **changes: Any) -> str:
        """Return the filters as the query string of a URL, with some changed; "" without filters."""
        given = attrs.evolve(self, **{"page": 1, **changes}).fields
        return f"?{urlencode(given)}" if given else ""
