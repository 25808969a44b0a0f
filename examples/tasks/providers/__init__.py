"""Tasks with providers: state, and what derives from it."""
