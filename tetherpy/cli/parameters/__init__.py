"""Parameters of the command line: shared options, durations, the database."""

__all__: list[str] = []
