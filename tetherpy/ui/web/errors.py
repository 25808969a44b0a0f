"""Errors of the dashboard."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import UiError


class DashboardError(UiError):
    """Base of the errors of the dashboard."""


class DashboardExposedError(DashboardError):
    """Raised for a dashboard that others could reach and nobody would have to log in to.

    Attributes:
        hosts: the names under which it could be reached.
    """

    def __init__(self, hosts: Iterable[str]) -> None:
        self.hosts = tuple(hosts)
        super().__init__(
            f"A dashboard that answers to {', '.join(self.hosts)} can be reached from other machines, and whoever "
            "reaches it can run and delete jobs. Give it a token, or authorize= with the login of your app."
        )


class WeakTokenError(DashboardError):
    """Raised for a token that could be guessed.

    Attributes:
        least: how many characters it needs.
    """

    def __init__(self, least: int) -> None:
        self.least = least
        super().__init__(
            f"The token is too short to be a secret; it needs at least {least} characters. "
            "Make one with secrets.token_urlsafe()."
        )


class FieldError(DashboardError, ValueError):
    """Raised for a field of a form that holds what it cannot hold.

    Attributes:
        field: the name of the field.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field
