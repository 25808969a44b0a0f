"""The findings of examinations."""

from __future__ import annotations

from enum import StrEnum

import attrs

from ..output.columns import Column, View


class State(StrEnum):
    """The severity of a finding; only ``wrong`` makes the exit code 1."""

    OK = "ok"
    ADVICE = "advice"
    WRONG = "wrong"


@attrs.frozen
class Finding:
    """The result of one check, with a remedy unless it is ok."""

    check: str
    state: State
    found: str
    remedy: str = ""

    @classmethod
    def ok(cls, check: str, found: str) -> Finding:
        """Report that a check passed."""
        return cls(check, State.OK, found)

    @classmethod
    def advice(cls, check: str, found: str, remedy: str) -> Finding:
        """Report something that works and could be improved."""
        return cls(check, State.ADVICE, found, remedy)

    @classmethod
    def wrong(cls, check: str, found: str, remedy: str) -> Finding:
        """Report a problem that keeps jobs from running, or will."""
        return cls(check, State.WRONG, found, remedy)


STYLES = {State.OK: "green", State.ADVICE: "yellow", State.WRONG: "red"}

FINDINGS = View[Finding](
    (
        Column("check", lambda finding: finding.check),
        Column("state", lambda finding: finding.state.value, style=lambda finding: STYLES[finding.state]),
        Column("found", lambda finding: finding.found),
        Column("remedy", lambda finding: finding.remedy),
    ),
    lambda finding: {
        "check": finding.check,
        "state": finding.state.value,
        "found": finding.found,
        "remedy": finding.remedy or None,
    },
)
"""A finding as one row."""
