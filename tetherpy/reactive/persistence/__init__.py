"""Offline persistence: the data of notifiers in a storage."""

__all__: list[str] = []
