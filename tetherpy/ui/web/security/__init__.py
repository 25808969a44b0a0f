"""Access control of the dashboard: tokens, sessions, request headers."""

__all__: list[str] = []
