"""Notifier classes and how an element builds them."""

__all__: list[str] = []
