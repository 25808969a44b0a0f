"""The pages: the fragments of each, the first response, and live updates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp

from tetherpy.reactive import ProviderListenable

from ...option_fields import option_fields
from ..actions import flash
from ..event_stream import Live
from ..security.gate import SESSION
from .fragments import Fragment, Fragments
from .job_filters import USUAL_WINDOW, WINDOWS, JobFilter, read_id
from .page_providers import PageProviders
from .rendering import Renderer
from .schema_form import fields_of

MAX_STREAMS = 500


@attrs.frozen(eq=False)
class Page:
    """One page: its template, its live fragments, and its fixed values."""

    template: str
    address: str
    parts: tuple[ProviderListenable[Fragment], ...]
    values: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    instead: str = ""
    """The address to redirect to, if any."""
    home: str = "."
    """The address of the page with all jobs."""


@attrs.frozen(eq=False)
class Pages:
    """All pages of a dashboard."""

    parts: Fragments
    sources: PageProviders
    drawing: Renderer
    live: Live

    async def jobs(self, request: Request) -> Page:
        """Return the page with the counts, the charts and the table."""
        wanted = JobFilter.of(request.query_params)
        overview = (self.parts.title, self.parts.badge, self.parts.tiles(wanted.window))
        parts = (*overview, self.parts.table(wanted), self.parts.charts(WINDOWS[wanted.window]))
        values = {"wanted": wanted, "windows": list(WINDOWS), "usual_window": USUAL_WINDOW}
        query = request.url.query
        instead = "" if wanted.job_number is None else f"jobs/{wanted.job_number}"
        home = wanted.everything.params() or "."
        return Page("jobs.html", f"?{query}" if query else "", parts, values, instead, home)

    async def job(self, request: Request) -> Page:
        """Return the page of one job."""
        job_id = read_id(request.path_params["job_id"])
        if job_id is None:
            raise HTTPException(404)
        parts = (self.parts.title, self.parts.badge, self.parts.job(job_id))
        return Page("job.html", f"jobs/{job_id}", parts, {"job_id": job_id})

    async def service(self, request: Request) -> Page:
        """Return the page of the service, its workers and its periodic jobs."""
        shared = (self.parts.title, self.parts.badge)
        return Page("service.html", "service", (*shared, self.parts.service, self.parts.workers, self.parts.plan))

    async def enqueue(self, request: Request) -> Page:
        """Return the page with the form that enqueues a job, with the fields of the selected handler."""
        job_key = request.query_params.get("key", "")
        choice = self.parts.handler(job_key)
        await self.live.first([choice])
        handler = self.sources.handler(self.live.container, job_key)
        values = {
            "fields": fields_of(handler.payload_schema),
            "options": option_fields(handler.options),
            "payload": request.query_params.get("payload", ""),
        }
        parts = (self.parts.title, self.parts.badge, choice)
        return Page("enqueue.html", f"enqueue?{request.url.query}", parts, values)

    async def show(self, page: Page, request: Request) -> Response:
        """Render a whole page with the present content of its fragments."""
        root = request.scope.get("root_path", "")
        if page.instead:
            return RedirectResponse(f"{root}/{page.instead}", 303)
        seen = await self.live.first(page.parts)
        html = {name: Markup(text) for name, text in seen.html.items()}  # noqa: S704 - rendered by our own templates
        rows = {name: [html[row] for row in rows] for name, rows in seen.lists.items()}
        shown = {"page": page, "html": html, "rows": rows, "root": root, "instance": self.live.instance}
        shown |= {"note": flash.pending(request), "logged_in": SESSION in request.scope}
        response = HTMLResponse(self.drawing.draw(page.template, **page.values, **shown))
        flash.discard(request, response)
        return response

    async def follow(self, page: Page, request: Request) -> ASGIApp:
        """Stream the changes of a page; ``?once`` returns its present content instead, for polling."""
        if "once" in request.query_params:
            seen = await self.live.first(page.parts)
            return JSONResponse({"instance": self.live.instance, "html": dict(seen.html), "lists": dict(seen.lists)})
        if self.live.streams >= MAX_STREAMS:
            raise HTTPException(503, "Too many open pages. Close some, or wait.", {"retry-after": "5"})
        return self.live.stream(page.parts)
