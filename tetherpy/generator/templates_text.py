"""Render the templates in ``templates/``."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from string import Template


def filled(name: str, values: Mapping[str, str]) -> str:
    """Return a template with its ``$names`` replaced; raises KeyError for a name without a value."""
    text = files(__package__ or "").joinpath("templates", *f"{name}.txt".split("/")).read_text(encoding="utf-8")
    return Template(text).substitute(values)
