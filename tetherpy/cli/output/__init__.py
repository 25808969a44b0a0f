"""How the command line writes: tables, lines, JSON, errors."""

__all__: list[str] = []
