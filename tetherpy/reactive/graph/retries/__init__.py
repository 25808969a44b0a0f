"""Retries of failed builds: the policy, the timer, and the retries of each node."""

__all__: list[str] = []
