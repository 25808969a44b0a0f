"""The live fragments of pages: HTML by element id, rendered again when its data changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

import attrs

from tetherpy.jobs import OPTIONS, JobCounts, JobPage
from tetherpy.reactive import AsyncValue, Provider, Ref

from ...root_cause import original
from .charts import AttemptChart, DepthChart, DurationChart, Throughput
from .job_filters import PAGE_SIZE, JobFilter
from .page_providers import JobHistory, PageProviders
from .rendering import Renderer

T = TypeVar("T")


@attrs.frozen
class Fragment:
    """HTML by the id of its element, and the ids of the rows of lists, in order.

    A fragment that is not ``ready`` shows that it is loading.
    """

    html: Mapping[str, str] = attrs.field(factory=dict[str, str])
    lists: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict[str, tuple[str, ...]])
    ready: bool = True


@attrs.frozen(eq=False)
class Fragments:
    """The providers of all fragments; pages share them."""

    title: Provider[Fragment]
    tiles: Callable[[str], Provider[Fragment]]
    badge: Provider[Fragment]
    table: Callable[[JobFilter], Provider[Fragment]]
    charts: Callable[[timedelta], Provider[Fragment]]
    job: Callable[[int], Provider[Fragment]]
    service: Provider[Fragment]
    workers: Provider[Fragment]
    plan: Provider[Fragment]
    handler: Callable[[str], Provider[Fragment]]


def declare_parts(sources: PageProviders, drawing: Renderer) -> Fragments:
    """Declare the fragments that render the given providers."""

    def draw(name: str, source: AsyncValue[T], values: Callable[[T], Mapping[str, Any]]) -> Fragment:
        """Render the element of this name: its value, its error, or that it is loading."""
        if source.has_value and not source.has_error:
            return Fragment({name: drawing.draw(f"parts/{name}.html", **values(source.require_value))})
        error = None if source.error is None else original(source.error)
        note = drawing.draw("parts/note.html", name=name, error=error)
        return Fragment({name: note}, ready=source.has_error)

    @Provider.auto_dispose
    def title(ref: Ref) -> Fragment:
        counts = ref.watch(sources.counts)
        html = drawing.draw("parts/title.html", counts=counts.value or JobCounts())
        return Fragment({"page-title": html}, ready=counts.has_value or counts.has_error)

    @Provider.auto_dispose.family
    def tiles(ref: Ref, window: str) -> Fragment:
        wanted = JobFilter(window=window)
        return draw("tiles", ref.watch(sources.counts), lambda known: {"counts": known, "wanted": wanted})

    @Provider.auto_dispose
    def badge(ref: Ref) -> Fragment:
        return draw("badge", ref.watch(sources.state), lambda state: {"state": state, "known": sources.service})

    @Provider.auto_dispose.family
    def table(ref: Ref, wanted: JobFilter) -> Fragment:
        found = ref.watch(sources.jobs(wanted.query))
        if not found.has_value or found.has_error:
            return attrs.evolve(draw("foot", found, lambda _: {}), lists={"rows": ()})
        return _rows(found.require_value, wanted)

    def _rows(jobs: JobPage, wanted: JobFilter) -> Fragment:
        more = jobs.next is not None
        foot = drawing.draw("parts/foot.html", wanted=wanted, size=PAGE_SIZE, shown=len(jobs), more=more)
        rows = {f"job-{job.id}": drawing.row(job) for job in jobs}
        return Fragment({**rows, "foot": foot}, {"rows": tuple(rows)})

    @Provider.auto_dispose.family
    def charts(ref: Ref, span: timedelta) -> Fragment:
        timeline = ref.watch(sources.timeline(span))
        drawn = [
            draw("throughput", timeline, lambda known: {"chart": Throughput.of(known, span), "span": span}),
            draw("depth", timeline, lambda known: {"chart": DepthChart.of(known, span), "span": span}),
            draw("durations", timeline, lambda known: {"chart": DurationChart.of(known)}),
            draw("oldest", timeline, lambda known: {"since": known.oldest_pending}),
        ]
        html = {name: text for part in drawn for name, text in part.html.items()}
        return Fragment(html, ready=all(part.ready for part in drawn))

    @Provider.auto_dispose.family
    def job(ref: Ref, job_id: int) -> Fragment:
        def values(story: JobHistory | None) -> Mapping[str, Any]:
            if story is None:
                return {"story": None, "job_id": job_id}
            first = story.attempts[0].started_at if story.left_out else None
            chart = AttemptChart.of(story.job, story.attempts, sources.clock(), first or story.job.created_at)
            return {"story": story, "chart": chart, "options": [option for option in OPTIONS if option.shown]}

        return draw("story", ref.watch(sources.story(job_id)), values)

    @Provider.auto_dispose
    def service(ref: Ref) -> Fragment:
        fixed = {"known": sources.service, "startable": sources.startable}
        return draw("service", ref.watch(sources.state), lambda state: {"state": state, **fixed})

    @Provider.auto_dispose
    def workers(ref: Ref) -> Fragment:
        waiting = ref.watch(sources.unhandled).value or {}
        return draw("workers", ref.watch(sources.workers), lambda known: {"workers": known, "waiting": waiting})

    @Provider.auto_dispose
    def plan(ref: Ref) -> Fragment:
        planned = ref.watch(sources.plan)
        if not planned.has_value and not planned.has_error:
            # Only running workers report their periodic jobs: do not wait for them.
            return Fragment({"plan": drawing.draw("parts/plan.html", planned=None)})
        return draw("plan", planned, lambda known: {"planned": known})

    @Provider.auto_dispose.family
    def handler(ref: Ref, job_key: str) -> Fragment:
        state, manifest = ref.watch(sources.state), ref.watch(sources.manifest)
        handlers = () if manifest.value is None else manifest.value.handlers
        html = drawing.draw("parts/handler.html", handlers=handlers, job_key=job_key)
        # Running workers report their handlers soon after the start.
        awaited = state.value is None or (state.value.running and manifest.value is None)
        return Fragment({"handler": html}, ready=not awaited or state.has_error or manifest.has_error)

    return Fragments(title, tiles, badge, table, charts, job, service, workers, plan, handler)


def together(parts: list[Fragment]) -> Fragment:
    """Merge several fragments."""
    return Fragment(
        {name: html for part in parts for name, html in part.html.items()},
        {name: rows for part in parts for name, rows in part.lists.items()},
        all(part.ready for part in parts),
    )
