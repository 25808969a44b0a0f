"""Widgets that are built from providers, and built again when what they watched changes."""

from __future__ import annotations

from typing import Any, Self

from textual.app import RenderResult
from textual.geometry import Region
from textual.widget import Widget

from ..watcher import Watcher
from .ref import WidgetRef
from .scope import app_of, container_of


class Consumer(Widget):
    """Base of widgets that ``build`` brings up to date: once mounted, and again after what it watched has changed.

    Put it behind a widget of Textual: ``class JobTable(DataTable[str], Consumer)``. What is watched is dropped when
    the widget is unmounted, and paused while it is not displayed or its screen is not shown (Riverpod).
    """

    _ref: WidgetRef | None = None
    _is_resting = False

    def build(self, ref: WidgetRef) -> Any:
        """Bring this widget up to date with what ``ref.watch`` returns."""
        raise NotImplementedError

    @property
    def ref(self) -> WidgetRef:
        """The way to the providers, for handlers of events; there once the widget is in the app.

        Raises:
            NoProviderScopeError: the widget is not mounted below a scope.
        """
        if self._ref is None:
            self._ref = WidgetRef(Watcher(container_of(self), self.on_dirty))
        return self._ref

    def on_dirty(self) -> None:
        """Plan the next build: called once per turn in which something watched has changed."""
        self.call_next(self.rebuild)

    def rebuild(self) -> Any:
        """Build now, and return what ``build`` returns."""
        ref = self.ref
        with ref.watcher.build():
            return self.build(ref)

    def on_mount(self) -> None:
        """Build for the first time, and learn when another screen covers this one."""
        app_of(self).screen_change_signal.subscribe(self, self._look)  # pyright: ignore[reportUnknownMemberType]
        self.begin()
        self.call_after_refresh(self._look)

    def begin(self) -> None:
        """Have the first build made."""
        self.rebuild()

    def on_unmount(self) -> None:
        """Let go of everything."""
        if self._ref is not None:
            self._ref.watcher.close()

    def on_show(self) -> None:
        """Watch again."""
        self._look()

    def on_hide(self) -> None:
        """Rest, if it is not only out of sight by being covered or scrolled away."""
        self._look()

    def _look(self, _: object = None) -> None:
        """Pause while nobody can come to see this widget without the screen or a style changing."""
        resting = not (self._screen_shows() and all(node.display for node in self.ancestors_with_self))
        if resting is self._is_resting or self.ref.watcher.closed:
            return
        self._is_resting = resting
        if resting:
            self.ref.watcher.pause()
        else:
            self.ref.watcher.resume()

    def _screen_shows(self) -> bool:
        """Whether no screen covers this widget's completely, as a modal one does not."""
        for screen in reversed(app_of(self).screen_stack):
            if screen is self.screen:
                return True
            if screen.styles.background.a == 1:
                break
        return False


class ConsumerWidget(Consumer):
    """A widget that shows what ``build`` returns: a string (literally, no markup), Content, or a Rich renderable."""

    DEFAULT_CSS = """
    ConsumerWidget {
        width: auto;
        height: auto;
    }
    """

    _shown: RenderResult | None = None
    _is_building = False

    def __init__(self, *children: Widget, markup: bool = False, **options: Any) -> None:
        super().__init__(*children, markup=markup, **options)

    def build(self, ref: WidgetRef) -> RenderResult:
        """Return what is to be shown."""
        raise NotImplementedError

    def on_dirty(self) -> None:
        """Have this widget, and no other, drawn again."""
        self.refresh(layout=self.styles.auto_dimensions)

    def begin(self) -> None:
        """Do nothing: it is built when it is drawn."""

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Have it drawn, and before that built, again; in a build it is being drawn already."""
        if self._is_building:
            return self
        self._shown = None
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def render(self) -> RenderResult:
        """Return what the last build gave; Textual asks for it several times to lay out and draw one state."""
        shown = self._shown
        if shown is None:
            self._is_building = True
            try:
                shown = self._shown = self.rebuild()
            finally:
                self._is_building = False
        return shown
