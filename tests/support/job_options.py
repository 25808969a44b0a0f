"""A value for every option of a job, by its kind: an option that is added is in these tests without a change."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

from tetherpy.jobs import OPTIONS, BackgroundJob, Backoff, JobOption, NewJobOptions, OptionKind

_VALUES: Mapping[OptionKind, Any] = {
    "integer": 7,
    "duration": timedelta(seconds=90),
    "pairs": {"tenant": "7"},
    "policy": Backoff(initial=timedelta(seconds=2)),
}
_TEXTS: Mapping[OptionKind, str] = {"integer": "7", "duration": "90", "pairs": "tenant=7"}
_GIVEN = tuple(option for option in OPTIONS if option.kind != "instant")
"""Delay excludes the instant of the first attempt."""


def every_option() -> NewJobOptions:
    """Return a value for every option; each differs from the default."""
    options = {option.name: _VALUES.get(option.kind, option.name) for option in _GIVEN}
    assert not any(value == option.default for option, value in zip(_GIVEN, options.values(), strict=True))
    return cast("NewJobOptions", options)


def typed_options() -> dict[str, str]:
    """Return the same values as people type them; a policy cannot be typed."""
    return {option.name: _TEXTS.get(option.kind, option.name) for option in _GIVEN if option.kind != "policy"}


def options_of(job: BackgroundJob) -> dict[str, Any]:
    """Return the options of a stored job, to compare with ``expected_options``."""
    return {option.name: getattr(job, option.name) for option in OPTIONS if option.stored}


def expected_options(*, policy: bool = True) -> dict[str, Any]:
    """Return the options of a stored job that has every option, or all but a policy."""
    return {
        option.name: cast("Any", every_option())[option.name] if policy or option.kind != "policy" else None
        for option in OPTIONS
        if option.stored
    }


def shown_options() -> list[JobOption]:
    """Return the options whose stored values people see."""
    return [option for option in OPTIONS if option.shown]
