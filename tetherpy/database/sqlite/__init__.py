"""SQLite: the connection thread, the writer and its transactions."""

__all__: list[str] = []
