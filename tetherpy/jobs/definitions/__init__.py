"""Job definitions: one declaration of a job, for the app that enqueues it and the worker that runs it."""

__all__: list[str] = []
