"""The graph of provider elements: edges, propagation, scheduling, disposal."""

__all__: list[str] = []
