"""Which jobs a table shows: read from an address, written into one, asked of the manager."""

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
"""How far the charts beside the table look back, by name."""
USUAL_WINDOW = "5m"


LARGEST_ID = 2**63 - 1
_LONGEST_ID = len(str(LARGEST_ID))


def read_id(text: str) -> int | None:
    """Return the id of a job that a text from outside names; None if it names none."""
    if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_ID):
        return None
    return number if (number := int(text)) <= LARGEST_ID else None


@attrs.frozen
class JobFilter:
    """Hold what the user filters by, and the page, counted from 1; empty text filters nothing.

    ``window`` is that of the charts: it filters nothing, and goes along from address to address.
    """

    status: BackgroundJobStatus | None = None
    text: str = ""
    job_key: str = ""
    queue: str = ""
    order: CreationOrder = "DESC"
    page: int = 1
    window: str = USUAL_WINDOW

    @classmethod
    def of(cls, params: Mapping[str, str]) -> JobFilter:
        """Read an address' parameters; what is no filter filters nothing."""
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
            order="ASC" if params.get("order") == "oldest" else "DESC",
            page=min(page, MAX_PAGE),
            window=window if window in WINDOWS else USUAL_WINDOW,
        )

    @property
    def everything(self) -> JobFilter:
        """Return the filter that lets all jobs pass, beside the same charts."""
        return JobFilter(window=self.window)

    @property
    def job_number(self) -> int | None:
        """Return the id that was searched for: ``#12``."""
        return read_id(self.text[1:]) if self.text.startswith("#") else None

    @property
    def is_narrowed(self) -> bool:
        """Tell whether anything but the status is filtered by."""
        return bool(self.text or self.job_key or self.queue)

    @property
    def query(self) -> JobQuery:
        """Return the question; it asks for one job more than a page has, to tell whether there is another page."""
        return JobQuery(
            status=self.status,
            text=self.text or None,
            job_key=self.job_key or None,
            queue=self.queue or None,
            limit=PAGE_SIZE + 1,
            offset=(self.page - 1) * PAGE_SIZE,
            order_by_creation=self.order,
        )

    @property
    def fields(self) -> dict[str, str]:
        """Return it as the fields of a form, without those that change nothing."""
        fields = {
            "status": self.status.value.lower() if self.status else "",
            "text": self.text,
            "key": self.job_key,
            "queue": self.queue,
            "order": "oldest" if self.order == "ASC" else "",
            "page": str(self.page) if self.page > 1 else "",
            "window": self.window if self.window != USUAL_WINDOW else "",
        }
        return {name: value for name, value in fields.items() if value}

    def params(self, **changes: Any) -> str:
        """Return it as the parameters of an address, with some things changed; "" where nothing is filtered."""
        given = attrs.evolve(self, **{"page": 1, **changes}).fields
        return f"?{urlencode(given)}" if given else ""
