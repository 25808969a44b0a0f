"""Logging in a worker: outcomes, the job fields of records, the log of each attempt, and the formats."""

__all__: list[str] = []
