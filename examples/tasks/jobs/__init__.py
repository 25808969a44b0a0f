"""Tasks with jobs. ``worker`` is the one worker of them all."""
