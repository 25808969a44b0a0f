"""The supervisor process: start workers, watch them and replace those that die."""

__all__: list[str] = []
