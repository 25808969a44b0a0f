"""From a claimed job to its outcome: fetcher, executor, outcome policy."""

__all__: list[str] = []
