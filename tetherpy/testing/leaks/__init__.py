"""What a test has left behind: providers, tasks and file handles, each with its place and its remedy."""

from .check import LeakCheck
from .leak import KINDS, Leak, report_of

__all__ = ["KINDS", "Leak", "LeakCheck", "report_of"]
