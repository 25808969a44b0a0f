"""The seed's two screens as a terminal app: ``python -m examples.terminal_app``."""
