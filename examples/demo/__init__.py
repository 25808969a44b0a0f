"""``make demo``: analyse Python's own standard library in the background, through a crash."""
