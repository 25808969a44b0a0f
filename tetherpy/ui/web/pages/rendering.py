"""Render templates and values to HTML; everything that comes from a job is escaped."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import attrs
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from tetherpy.jobs import BackgroundJob, BackgroundJobStatus

from ...actions import CONFIRM_STOP, JOB_ACTIONS, STOPPING
from .jinja_filters import FILTERS, ICONS

TEMPLATES = Path(__file__).parents[1] / "templates"
STATIC = Path(__file__).parents[1] / "static"
ROWS_KEPT = 4096
ROW_CHARACTERS = 1000
"""Longer than any text that a row shows."""


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
    shared.update(job_actions=JOB_ACTIONS, confirm_stop=CONFIRM_STOP, stopping=STOPPING)
    return environment


@attrs.define(eq=False)
class Renderer:
    """Renders pages and fragments."""

    title: str
    row_of: Callable[[BackgroundJob], str] = attrs.field(init=False)
    """Renders a row from the visible fields of its job; cached."""
    _environment: Environment = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._environment = _environment(self.title)
        self.row_of = lru_cache(ROWS_KEPT)(self._row_of)

    def draw(self, template: str, **values: Any) -> str:
        """Return the HTML of a template."""
        return self.template(template).render(values)

    def template(self, name: str) -> Template:
        """Return a template, compiled on first use."""
        return self._environment.get_template(name)

    def row(self, job: BackgroundJob) -> str:
        """Return the table row of a job, from the cache if it has not changed."""
        return self.row_of(_seen_in_row(job))

    def _row_of(self, job: BackgroundJob) -> str:
        return self.draw("parts/row.html", job=job)


def _seen_in_row(job: BackgroundJob) -> BackgroundJob:
    """Drop the fields that a row does not show: payloads may be a megabyte each, and rows are cached."""
    return attrs.evolve(
        job,
        job_key=job.job_key[:ROW_CHARACTERS],
        payload_json=None,
        result_json=job.result_json and job.result_json[:ROW_CHARACTERS],
        last_error=job.last_error and job.last_error[:ROW_CHARACTERS],
    )
