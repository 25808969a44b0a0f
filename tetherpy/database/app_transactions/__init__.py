"""Transactions of the app that other libraries opened: recognised without an import, checked, and used."""

__all__: list[str] = []
