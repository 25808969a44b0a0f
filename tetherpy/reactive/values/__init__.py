"""User values: comparison, short texts, history, errors."""

__all__: list[str] = []
