"""Calls to the server: statements that are repeated where that is safe, and notifications after commits."""

__all__: list[str] = []
