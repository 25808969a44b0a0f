"""Queries of jobs: the SQL is written here, and all values are bound."""

from __future__ import annotations

from typing import Any

from ..payload.encoding import encode
from ..query import JobQuery
from ..status import BackgroundJobStatus
from ..storage.columns import COLUMNS


def query_of_view(query: JobQuery) -> tuple[bytes, dict[str, Any]]:
    """Return the statement of a query, and its values."""
    conditions = {
        "status": "status = %(status)s",
        "job_key": "job_key = %(job_key)s",
        "queue": "queue = %(queue)s",
        "unique_key": "unique_key = %(unique_key)s",
        "created_after": "created_at > %(created_after)s",
        "created_before": "created_at < %(created_before)s",
        "cursor": f"id {query.follows} %(cursor)s",
        "meta": "meta::jsonb @> %(meta)s::jsonb",
        "text": "position(%(text)s in concat_ws(chr(10), job_key, payload, last_error, meta, unique_key)) > 0",
    }
    asked = {name: getattr(query, name) for name in conditions if getattr(query, name) is not None}
    if query.meta is not None:
        asked["meta"] = encode(dict(query.meta))
    where = " AND ".join(conditions[name] for name in asked) or "true"
    columns, order = ", ".join(COLUMNS), f"ORDER BY id {query.order_by_creation}"
    source = f"SELECT {columns} FROM background_service_jobs WHERE {where}"  # noqa: S608
    if query.job_key is not None and query.status is None and query.unique_key is None:
        # The index has the status between key and id, so each status gives one sorted list, and their heads are merged.
        lists = " UNION ALL ".join(
            f"(SELECT * FROM ({source} AND status = '{status}') AS listed {order} LIMIT %(most)s)"  # noqa: S608
            for status in BackgroundJobStatus
        )
        source = f"SELECT {columns} FROM ({lists}) AS jobs"  # noqa: S608
    statement = f"{source} {order} LIMIT %(limit)s OFFSET %(offset)s"
    return statement.encode(), {**asked, "limit": query.fetched, "offset": query.offset, "most": query.merged}


def has_nul(query: JobQuery) -> bool:
    """Tell whether a query looks for the character NUL, which no text in PostgreSQL holds."""
    texts = (query.job_key, query.queue, query.unique_key, query.text)
    return any(text is not None and "\0" in text for text in texts)
