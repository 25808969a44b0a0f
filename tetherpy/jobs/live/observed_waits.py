"""The observer of waits for jobs, which a worker sets for each handler."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import TypeAlias

WaitObserver: TypeAlias = Callable[[int], AbstractContextManager[None]]
"""Is called with the id of a job that is waited for; its block lasts as long as the wait."""

wait_observer: ContextVar[WaitObserver | None] = ContextVar("wait_observer", default=None)
"""Observes the waits for jobs in this context; a worker sets it for each handler."""


def observed_wait(job_id: int) -> AbstractContextManager[None]:
    """Return a context manager to hold while waiting for a job: it calls the observer, if there is one."""
    observe = wait_observer.get()
    return nullcontext() if observe is None else observe(job_id)
