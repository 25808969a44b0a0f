"""Detect commits of any process: change signal file, watchers, live queries."""

__all__: list[str] = []
