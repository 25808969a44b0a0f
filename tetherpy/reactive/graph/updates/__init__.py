"""Bringing nodes up to date: build, update, read, watch, and values that are set from outside."""

__all__: list[str] = []
