"""The limit of builds that run inside each other, and the error that unwinds them."""

from __future__ import annotations

from typing import Any, Final, cast

MOST_NESTED: Final = 120
"""How many builds may run inside each other. Python allows 1,000 nested calls, and a build takes three or more."""


class TooDeepError(BaseException):
    """Unwinds builds that are nested too deeply; no ``except Exception`` of a provider may catch it.

    It collects the nodes that were being built. A function that catches it all the same changes nothing: the scheduler
    keeps it until the outermost build has ended. Until then no build begins, and results and errors are dropped.
    """

    @property
    def path(self) -> list[Any]:
        """The nodes that were being built, the innermost first."""
        return cast("list[Any]", self.args[0])
