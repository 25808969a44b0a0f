"""What forms and buttons of the dashboard do, and the responses to them."""

__all__: list[str] = []
