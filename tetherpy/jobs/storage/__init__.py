"""What both engines share: SQL files, row decoding, timestamps, timelines."""

__all__: list[str] = []
