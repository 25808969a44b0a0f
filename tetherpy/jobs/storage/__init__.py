"""Shared by both engines: SQL files, row decoding, timestamps, timelines."""

__all__: list[str] = []
