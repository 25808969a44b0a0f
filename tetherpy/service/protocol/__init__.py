"""What the processes of a service share: frames, files, locks and settings."""

__all__: list[str] = []
