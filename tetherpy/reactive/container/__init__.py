"""``ProviderContainer`` and ``Ref``: where state lives, overrides and scoping."""

__all__: list[str] = []
