"""Times of retries and periodic jobs: backoff, cron, intervals."""

__all__: list[str] = []
