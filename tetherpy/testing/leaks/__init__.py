"""Leak checks: providers, tasks and file handles that outlive a test, each with its place and a remedy."""

from .check import LeakCheck
from .leak import KINDS, Leak, report_of

__all__ = ["KINDS", "Leak", "LeakCheck", "report_of"]


def __dir__() -> list[str]:
    return [*__all__]
