"""A worker process: start, heartbeat, liveness, periodic jobs, retention, end."""

__all__: list[str] = []
