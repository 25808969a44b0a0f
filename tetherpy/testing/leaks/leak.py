"""One thing that was left behind, and the report of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

import attrs

from ..call_sites import Site

Kind: TypeAlias = Literal["provider", "task", "file"]
KINDS: Final[tuple[Kind, ...]] = ("provider", "task", "file")
"""What is looked for."""


@attrs.frozen
class Leak:
    """A leaked object, the place of its creation if known, and a remedy."""

    kind: Kind
    what: str
    made_at: Site | None
    remedy: str

    def __str__(self) -> str:
        place = "" if self.made_at is None else f"\n    made at {self.made_at}"
        return f"  {self.kind}: {self.what}{place}\n    {self.remedy}"


def report_of(leaks: Sequence[Leak]) -> str:
    """Return the message that a test with leaks fails with."""
    kinds = ", ".join(dict.fromkeys(repr(str(leak.kind)) for leak in leaks))
    things = "1 thing" if len(leaks) == 1 else f"{len(leaks)} things"
    return "\n".join(
        [
            f"The test has left {things} behind:",
            *map(str, leaks),
            f"  (If it is meant to: @pytest.mark.allow_leaks({kinds}).)",
        ]
    )
