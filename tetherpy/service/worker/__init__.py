"""A worker process: start, heartbeat, worker locks, periodic jobs, retention, end."""

__all__: list[str] = []
