"""The seed's ConsumerWidget over a stream provider, in a terminal."""

from providers import pending_jobs_stream_provider
from tetherpy import BackgroundJob
from tetherpy.ui.textual import ConsumerWidget, WidgetRef

MOST = 5


class PendingJobs(ConsumerWidget):
    """Lists the pending jobs; only this widget renders again when they change."""

    DEFAULT_CSS = "PendingJobs { width: 1fr; margin: 0 1; border: round $primary; padding: 0 1; }"

    def build(self, ref: WidgetRef) -> str:
        self.border_title = "Pending jobs"
        return ref.watch(pending_jobs_stream_provider).when(
            data=listed,
            loading=lambda: "Opening the database...",
            error=lambda error: f"Error: {error}",
        )


def listed(jobs: list[BackgroundJob]) -> str:
    if not jobs:
        return "No pending jobs"
    rest = f"\n... and {len(jobs) - MOST} more" if len(jobs) > MOST else ""
    return "\n".join(f"{job.job_key!a} (ID: {job.id})  attempts: {job.attempts}" for job in jobs[:MOST]) + rest
