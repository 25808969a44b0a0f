"""From ``tether.yaml`` to an app's providers."""

__all__: list[str] = []
