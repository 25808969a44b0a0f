"""The base class of the errors of providers and containers."""

from __future__ import annotations

from tetherpy.errors import TetherError


class ReactiveError(TetherError):
    """Base of the errors of providers and containers."""
