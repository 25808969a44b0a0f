"""Names that no package has: as in ``reactive_uses``, each line that ends in ``# wrong`` must be an error.

A package that imports its names at their first use must not hide this from the type checkers.
"""
# ruff: noqa: F401

from __future__ import annotations

from tetherpy import Providr as A  # wrong
from tetherpy import is_url as B  # wrong
from tetherpy.database import Databse as C  # wrong
from tetherpy.durable import JobProvidr as D  # wrong
from tetherpy.jobs import NewJb as E  # wrong
from tetherpy.service import BackgroundServce as F  # wrong
from tetherpy.testing import InlineJob as G  # wrong
from tetherpy.ui import Wacher as H  # wrong
from tetherpy.ui.textual import WidgetReef as I  # wrong
