"""Leak checks: providers, tasks and file handles that outlive a test, each with its place and a remedy."""

from tetherpy.facades import facade_dir

from .check import LeakCheck
from .leak import KINDS, Leak, report_of

__all__ = ["KINDS", "Leak", "LeakCheck", "report_of"]

__dir__ = facade_dir(__all__)
