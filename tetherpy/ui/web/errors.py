"""Errors of the dashboard."""

from __future__ import annotations

from collections.abc import Iterable

from tetherpy.errors import message

from ..errors import UiError


class DashboardError(UiError):
    """Base of the errors of the dashboard."""


class DashboardExposedError(DashboardError):
    """Raised for a dashboard that other machines could reach without a login.

    Attributes:
        hosts: the host names other machines could use.
    """

    def __init__(self, hosts: Iterable[str]) -> None:
        self.hosts = tuple(hosts)
        super().__init__(
            f"A dashboard on {', '.join(self.hosts)} is reachable from other machines, and everyone who reaches it can "
            "run and delete jobs. Pass token=, or authorize= with the login of your app."
        )


@message("The token is too short: it needs at least {least} characters. Generate one with secrets.token_urlsafe().")
class WeakTokenError(DashboardError):
    """Raised for a token that is easy to guess.

    Attributes:
        least: the required number of characters.
    """

    least: int
