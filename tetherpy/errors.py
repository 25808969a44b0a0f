"""The root of every error that tetherpy raises."""


class TetherError(Exception):
    """Base of all tetherpy errors: catch it to catch whatever the library itself reports.

    Each package keeps its own errors in its ``errors.py``; every message says what happened,
    why, and what to do, and the data it was made from stays on the error as attributes.
    """
