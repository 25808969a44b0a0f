"""Who may use the dashboard: tokens, sessions, request headers."""

__all__: list[str] = []
