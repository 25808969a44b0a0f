"""From a claimed job to its outcome: fetch loop, executor, outcome policy."""

__all__: list[str] = []
