"""The life of one build: hooks, teardown, timers."""

__all__: list[str] = []
