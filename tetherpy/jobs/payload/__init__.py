"""Payloads and results as JSON text."""

__all__: list[str] = []
