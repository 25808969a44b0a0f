"""``tetherpy jobs``: looking at jobs and steering them, one module per command."""

__all__: list[str] = []
