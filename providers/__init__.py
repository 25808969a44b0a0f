"""The providers of this app: its database, its background service, and the streams of its jobs."""

from .background_jobs import (
    background_job_manager_provider,
    job_counts_stream_provider,
    job_stream_provider,
    jobs_by_status_stream_provider,
    pending_jobs_stream_provider,
)
from .background_service import background_service_provider, service_state_stream_provider
from .database import database_path_provider, database_provider

__all__ = [
    "background_job_manager_provider",
    "background_service_provider",
    "database_path_provider",
    "database_provider",
    "job_counts_stream_provider",
    "job_stream_provider",
    "jobs_by_status_stream_provider",
    "pending_jobs_stream_provider",
    "service_state_stream_provider",
]
