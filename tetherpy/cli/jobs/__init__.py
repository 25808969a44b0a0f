"""``tetherpy jobs``: inspect and manage jobs, one module per command."""

__all__: list[str] = []
