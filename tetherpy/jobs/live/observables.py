"""Live views of jobs as Rx observables."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tetherpy.observables import observable

from ..errors import JobNotFoundError
from .job_queries import OneJob, ViewQuery
from .live_views import Listener, LiveViewHub

if TYPE_CHECKING:
    from tetherpy.observables import IterableObservable

    from ..model import BackgroundJob


def observe(hub: LiveViewHub, query_of_view: ViewQuery) -> IterableObservable[Any]:
    """Return the result of a query as an observable: the current one, then each that differs from the one before.

    Subscribers of equal queries share one view. Values are delivered in the event loop in which
    the engine lives; subscribe and dispose there. An error ends the stream; it completes
    when the database is closed.
    """
    return observable(
        lambda on_next, on_error, on_completed: hub.listen(
            query_of_view, Listener(on_next, on_error, lambda _: on_completed())
        )
    )


def observe_until_finished(hub: LiveViewHub, job_id: int) -> IterableObservable[BackgroundJob]:
    """Return one job as an observable that completes after the state in which the job has finished.

    A job that does not exist, or is deleted, ends it with ``JobNotFoundError``; errors as ``observe``.
    """

    def listen(
        on_next: Callable[[BackgroundJob], None],
        on_error: Callable[[Exception], None],
        on_completed: Callable[[], None],
    ) -> Callable[[], None]:
        def take(job: BackgroundJob | None) -> None:
            if job is None:
                on_error(JobNotFoundError(job_id))
                return
            on_next(job)
            if job.status.is_finished:
                on_completed()

        return hub.listen(OneJob(job_id), Listener(take, on_error, lambda _: on_completed()))

    return observable(listen)
