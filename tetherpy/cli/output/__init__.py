"""Output of the command line: tables, lines, JSON, errors."""

__all__: list[str] = []
