"""What the command line reads: options, durations, the database to use."""

__all__: list[str] = []
