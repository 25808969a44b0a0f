"""The command line: ``tetherpy``."""

__all__: list[str] = []
