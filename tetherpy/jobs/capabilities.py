"""The limits of each engine: declared by the engine, shown in the reference, checked at the call."""

from __future__ import annotations

import attrs

from .errors import EngineLimitError
from .model import OPTIONS, BackgroundJob, NewJob

_TEXTS = tuple(option for option in OPTIONS if option.kind == "text")


@attrs.frozen(kw_only=True)
class EngineCapabilities:
    """The limits of an engine; None means no limit."""

    engine: str
    needs: str
    """What it needs at run time."""
    several_machines: bool
    """Whether processes on other machines may share it; if not, all workers are on this one."""
    enqueue_in: str
    """In whose transactions jobs can be enqueued and completed."""
    creates_tables_in_transaction: bool
    """Whether an enqueue inside the app's transaction makes missing job tables."""
    add_with_sql: str
    """How a program without this library adds jobs."""
    watches_sql: bool
    """Whether ``watch`` and ``changes`` observe any query of the app, not jobs alone."""
    name_characters: int | None = None
    """Longest job key, queue and name of a periodic job."""
    priority_bits: int = 64
    nul_in_names: bool = True
    """Whether keys and names may hold the character NUL."""
    dead_worker: str
    """How soon a dead worker's jobs run again."""

    def check(self, job: NewJob | BackgroundJob) -> None:
        """Raise ``EngineLimitError`` for a job that the engine cannot store."""
        if not -(2 ** (self.priority_bits - 1)) <= job.priority < 2 ** (self.priority_bits - 1):
            raise EngineLimitError(self.engine, "priority", job.priority, f"it takes {self.priority_bits} bits")
        self.check_name("job key", job.job_key)
        self.check_name("queue", job.queue)
        if not self.nul_in_names:
            for option in _TEXTS:
                self._check_nul(option.label.lower(), getattr(job, option.name) or "")

    def check_name(self, what: str, name: str) -> None:
        """Raise ``EngineLimitError`` for a name that the engine cannot store."""
        if self.name_characters is not None and len(name) > self.name_characters:
            limit = f"it has {len(name)} characters and {self.name_characters} fit"
            raise EngineLimitError(self.engine, what, name, limit)
        if not self.nul_in_names:
            self._check_nul(what, name)

    def _check_nul(self, what: str, text: str) -> None:
        if "\0" in text:
            raise EngineLimitError(self.engine, what, text, "it contains the character NUL")
