"""Turning templates and values into HTML; whatever comes from a job is escaped."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import attrs
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from tetherpy.jobs import BackgroundJob, BackgroundJobStatus

from .wording import FILTERS, ICONS

TEMPLATES = Path(__file__).with_name("templates")
STATIC = Path(__file__).with_name("static")
ROWS_KEPT = 4096


def _environment(title: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    shared: Any = environment.globals
    shared.update(app_title=title, statuses=list(BackgroundJobStatus), icons=ICONS)
    return environment


@attrs.define(eq=False)
class Drawing:
    """Draw whole pages and their pieces."""

    title: str
    row: Callable[[BackgroundJob], str] = attrs.field(init=False)
    """Draws the row of a job in a table; one that has not changed is not drawn again."""
    _environment: Environment = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._environment = _environment(self.title)
        self.row = lru_cache(ROWS_KEPT)(self._row)

    def draw(self, template: str, **values: Any) -> str:
        """Return the HTML of a template."""
        return self.template(template).render(values)

    def template(self, name: str) -> Template:
        """Return a template, compiled when it is used first."""
        return self._environment.get_template(name)

    def _row(self, job: BackgroundJob) -> str:
        return self.draw("parts/row.html", job=job)
