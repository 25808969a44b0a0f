"""The pages of the dashboard, and their live fragments."""

__all__: list[str] = []
