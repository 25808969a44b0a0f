"""Live views of jobs, as Rx observables."""

__all__: list[str] = []
