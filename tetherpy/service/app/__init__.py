"""The app's side of the service: start workers, attach to them, stop them, observe them."""

__all__: list[str] = []
