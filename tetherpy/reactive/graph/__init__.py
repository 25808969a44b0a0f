"""The graph of provider elements: edges, users, marking, scheduling, disposal."""

__all__: list[str] = []
