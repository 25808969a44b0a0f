"""``tetherpy service`` and ``tetherpy worker``: the processes that run jobs."""

__all__: list[str] = []
