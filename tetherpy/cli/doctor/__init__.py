"""``tetherpy doctor``: problems of a database, its workers and this machine, with remedies."""

__all__: list[str] = []
