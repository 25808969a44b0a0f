"""The seven kinds of providers and their families."""

__all__: list[str] = []
