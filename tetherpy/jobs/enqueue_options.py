"""The options of an enqueue, for functions that pass them on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, TypedDict


class EnqueueOptions(TypedDict, total=False):
    """The keyword arguments of ``BackgroundJobManager.enqueue``; each may be left out.

    ``async def enqueue_greet(manager, payload: Greeting, **options: Unpack[EnqueueOptions])`` passes them on.
    """

    priority: int
    max_attempts: int
    delay: timedelta | float | None
    run_at: datetime | None
    queue: str
    timeout: timedelta | float | None
    unique_key: str | None
    transaction: Any | None
