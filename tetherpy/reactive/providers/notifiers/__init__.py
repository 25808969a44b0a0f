"""Notifier classes, their families and their builds."""

__all__: list[str] = []
