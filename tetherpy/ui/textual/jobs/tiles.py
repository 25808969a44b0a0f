"""The number of jobs by status; each tile renders again when its own count changes."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message

from tetherpy.jobs import BackgroundJobStatus

from ...job_providers import JobProviders
from ..consumer import ConsumerWidget
from ..ref import WidgetRef
from .job_text import MARKS


class StatusTile(ConsumerWidget):
    """Shows the number of jobs with one status; a click selects it."""

    class Chosen(Message):
        """The user selected this status."""

        def __init__(self, status: BackgroundJobStatus) -> None:
            super().__init__()
            self.status = status

    def __init__(self, providers: JobProviders, status: BackgroundJobStatus, number: int) -> None:
        super().__init__(id=f"tile-{status.lower()}")
        self._providers = providers
        self._number = number
        self.status = status

    def build(self, ref: WidgetRef) -> Content:
        """Render symbol, name and count."""
        status = self.status
        count = ref.watch(self._providers.counts.select(lambda state: state.value and state.value.by_status[status]))
        mark, colour = MARKS[status]
        figure = "…" if count is None else f"{count:,}"
        return Content.assemble(
            (f"{self._number} ", "dim"),
            (f"{mark} ", f"ansi_{colour}"),
            f"{status.capitalize()}\n",
            (f"  {figure}", "bold"),
        )

    def on_click(self) -> None:
        """Select this status."""
        self.post_message(self.Chosen(self.status))


class StatusTiles(Horizontal):
    """All statuses in a row, one of them selected."""

    DEFAULT_CSS = """
    StatusTiles {
        height: 2;
        margin: 0 0 1 0;
        StatusTile {
            width: 1fr;
            height: 2;
            border-left: outer $surface;
            &:hover { background: $boost; }
            &.chosen { border-left: outer $primary; background: $boost; }
        }
    }
    """

    def __init__(self, providers: JobProviders) -> None:
        super().__init__()
        self._providers = providers

    def compose(self) -> ComposeResult:
        """Create a tile for each status."""
        for number, status in enumerate(BackgroundJobStatus, start=1):
            yield StatusTile(self._providers, status, number)

    def choose(self, status: BackgroundJobStatus) -> None:
        """Select one tile."""
        for tile in self.query(StatusTile):
            tile.set_class(tile.status is status, "chosen")
