"""The jobs: the manager, and streams to watch."""

from reactivex import Observable

from tetherpy import Provider, Ref, StreamProvider
from tetherpy.jobs import BackgroundJob, BackgroundJobManager, BackgroundJobStatus, JobCounts

from .database import database_provider


@Provider
def background_job_manager_provider(ref: Ref) -> BackgroundJobManager:
    """The manager; providers that watch it are loading while the database is still opening."""
    return BackgroundJobManager(ref.watch(database_provider).require_value)


@StreamProvider
def pending_jobs_stream_provider(ref: Ref) -> Observable[list[BackgroundJob]]:
    """The newest jobs that wait."""
    return ref.watch(background_job_manager_provider).watch_jobs_by_status(BackgroundJobStatus.PENDING)


@StreamProvider.auto_dispose.family
def jobs_by_status_stream_provider(ref: Ref, status: BackgroundJobStatus) -> Observable[list[BackgroundJob]]:
    """The newest jobs with a status."""
    return ref.watch(background_job_manager_provider).watch_jobs_by_status(status)


@StreamProvider.auto_dispose.family
def job_stream_provider(ref: Ref, job_id: int) -> Observable[BackgroundJob | None]:
    """One job; None when there is no such job (any more)."""
    return ref.watch(background_job_manager_provider).watch_job(job_id)


@StreamProvider
def job_counts_stream_provider(ref: Ref) -> Observable[JobCounts]:
    """How many jobs there are of each status."""
    return ref.watch(background_job_manager_provider).watch_counts()
