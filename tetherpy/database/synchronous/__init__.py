"""Databases for code without an event loop: threads that wait for coroutines of a loop in another thread."""

__all__: list[str] = []
