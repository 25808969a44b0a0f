"""One job in detail: payload, progress, attempts and result."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import chain
from typing import ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen

from tetherpy.durations import duration_text
from tetherpy.jobs import OPTIONS, BackgroundJob, JobAttempt
from tetherpy.safe_text import one_line, plain

from ...job_providers import JobProviders
from ...root_cause import original
from ..consumer import ConsumerWidget
from ..ref import WidgetRef
from .job_text import MARKS, at, bar

LABEL = "dim"


class JobDetail(ConsumerWidget):
    """Shows one job, and renders again when that job changes."""

    DEFAULT_CSS = "JobDetail { width: 1fr; height: auto; padding: 0 1; }"

    def __init__(self, providers: JobProviders, job_id: int | None = None) -> None:
        super().__init__()
        self._providers = providers
        self.job_id = job_id

    def show(self, job_id: int | None) -> None:
        """Show another job, or no job."""
        if job_id != self.job_id:
            self.job_id = job_id
            self.refresh(layout=True)

    def build(self, ref: WidgetRef) -> Content:
        """Render the job."""
        if self.job_id is None:
            return Content.styled("No job selected.", LABEL)
        state = ref.watch(self._providers.job(self.job_id))
        if (error := state.error) is not None:
            return Content.styled(plain(f"Could not load job {self.job_id}: {original(error)}"), "$text-error")
        job = state.value
        if job is None:
            return Content.styled("Loading..." if state.is_loading else f"Job {self.job_id} has been deleted.", LABEL)
        attempts = ref.watch(self._providers.attempts(self.job_id)).value or []
        parts = (
            _headline(job),
            _error(job),
            _timeline(attempts),
            _data(job),
            _facts(job),
            _traceback(attempts),
            _log(attempts),
        )
        return Content("\n").join(chain.from_iterable(parts))


def _headline(job: BackgroundJob) -> Iterator[Content]:
    mark, colour = MARKS[job.status]
    yield Content.styled(one_line(f"{job.job_key}  #{job.id}"), "bold")
    yield Content.assemble(
        (f"{mark} {job.status}", f"ansi_{colour}"), f"  attempt {job.attempts} of {job.max_attempts}"
    )
    if job.cancel_requested_at is not None and not job.status.is_finished:
        yield Content.styled(f"cancellation requested at {at(job.cancel_requested_at)}", "$text-warning")
    if job.progress is not None or job.progress_message:
        yield Content.assemble(
            (bar(job.progress, 24), "ansi_cyan"),
            f" {job.progress:4.0%}" if job.progress is not None else "",
        )
        yield Content(one_line(job.progress_message or ""))


def _facts(job: BackgroundJob) -> Iterator[Content]:
    yield Content("")
    times = {"created": job.created_at, "due": job.run_at, "started": job.last_attempt_at, "finished": job.finished_at}
    facts = {name: at(moment) for name, moment in times.items() if moment is not None}
    for option in OPTIONS:
        value = getattr(job, option.field) if option.shown else None
        if value is not None:
            facts[option.label.lower()] = duration_text(value) if isinstance(value, timedelta) else one_line(str(value))
    if job.claimed_by is not None:
        facts["worker"] = one_line(job.claimed_by)
    for name, value in facts.items():
        yield Content.assemble((f"{name:<10} ", LABEL), value)


def _error(job: BackgroundJob) -> Iterator[Content]:
    if job.last_error:
        yield from _section("last error", plain(job.last_error), "$text-error")


def _data(job: BackgroundJob) -> Iterator[Content]:
    for name, text in (("payload", job.payload_json), ("result", job.result_json)):
        if text is not None:
            yield from _section(name, pretty(text))


def _timeline(attempts: list[JobAttempt]) -> Iterator[Content]:
    if attempts:
        yield from _section("attempts", "")
    longest = max((_length(attempt) for attempt in attempts), default=timedelta(0)) or timedelta(seconds=1)
    for attempt in attempts:
        span = _length(attempt)
        took = duration_text(span) if attempt.finished_at else ""
        outcome = attempt.outcome or "running"
        colour = {"completed": "$text-success", "running": "$text-accent"}.get(outcome, "$text-error")
        yield Content.assemble(
            f"{attempt.attempt:>2} {at(attempt.started_at)} ",
            (bar(span / longest, 8), colour),
            f" {took:>7} ",
            (one_line(outcome), colour),
        )


def _traceback(attempts: list[JobAttempt]) -> Iterator[Content]:
    if attempts and attempts[-1].traceback:
        yield from _section("traceback of the last attempt", plain(attempts[-1].traceback))


def _log(attempts: list[JobAttempt]) -> Iterator[Content]:
    if attempts and attempts[-1].logs:
        yield from _section("log of the last attempt", plain(attempts[-1].logs))


def _length(attempt: JobAttempt) -> timedelta:
    if attempt.started_at is None or attempt.finished_at is None:
        return timedelta(0)
    return max(attempt.finished_at - attempt.started_at, timedelta(0))


def _section(name: str, text: str, style: str = "") -> Iterator[Content]:
    yield Content("")
    yield Content.styled(name.upper(), "bold $text-primary")
    if text:
        yield Content.styled(text, style) if style else Content(text)


def pretty(text: str) -> str:
    """Indent JSON; other text is shown unchanged."""
    try:
        return plain(msgspec.json.format(text[:200_000], indent=2))
    except (msgspec.MsgspecError, RecursionError):
        return plain(text)


class JobScreen(ModalScreen[None]):
    """One job over the whole screen, for terminals too narrow for the detail next to the table."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter", "dismiss", "Close")]
    DEFAULT_CSS = """
    JobScreen {
        align: center middle;
        VerticalScroll { width: 90%; height: 90%; background: $surface; border: round $primary; padding: 0 1; }
    }
    """

    def __init__(self, providers: JobProviders, job_id: int) -> None:
        super().__init__()
        self._providers = providers
        self._job_id = job_id

    def compose(self) -> ComposeResult:
        """Lay out the job in a frame."""
        with VerticalScroll() as frame:
            frame.border_title = f"Job {self._job_id}"
            frame.border_subtitle = "Esc closes"
            yield JobDetail(self._providers, self._job_id)
