"""Frames, files, locks and settings that the processes of a service share."""

__all__: list[str] = []
