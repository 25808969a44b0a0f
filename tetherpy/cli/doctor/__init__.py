"""``tetherpy doctor``: what may be wrong with a database, its workers or this machine, each with its remedy."""

__all__: list[str] = []
