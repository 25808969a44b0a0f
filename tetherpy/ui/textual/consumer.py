"""Widgets that are built from providers, and rebuilt when a watched provider changes."""

from __future__ import annotations

from typing import Any, Self

from textual.app import RenderResult
from textual.geometry import Region
from textual.widget import Widget

from ..watcher import Watcher
from .ref import WidgetRef
from .scope import app_of, container_of


class Consumer(Widget):
    """Base of widgets that ``build`` updates: after mounting, and after each change of a watched provider.

    Use it as a mixin after a Textual widget: ``class JobTable(DataTable[str], Consumer)``. Subscriptions are closed
    when the widget is unmounted, and paused while it or its screen is not displayed, as in Riverpod.
    """

    _ref: WidgetRef | None = None
    _is_hidden = False

    def build(self, ref: WidgetRef) -> Any:
        """Update this widget from the values that ``ref.watch`` returns."""
        raise NotImplementedError

    @property
    def ref(self) -> WidgetRef:
        """The access to providers, for event handlers; available once the widget is mounted.

        Raises:
            NoProviderScopeError: the widget is not mounted below a scope.
        """
        if self._ref is None:
            self._ref = WidgetRef(Watcher(container_of(self), self.on_dirty))
        return self._ref

    def on_dirty(self) -> None:
        """Schedule the next build; called once per turn with a change."""
        self.call_next(self.rebuild)

    def rebuild(self) -> Any:
        """Build now, and return the result of ``build``."""
        ref = self.ref
        with ref.watcher.build():
            return self.build(ref)

    def on_mount(self) -> None:
        """Build for the first time, and watch for screens that cover this one."""
        app_of(self).screen_change_signal.subscribe(self, self._update_pause)  # pyright: ignore[reportUnknownMemberType]
        self.begin()
        self.call_after_refresh(self._update_pause)

    def begin(self) -> None:
        """Run the first build."""
        self.rebuild()

    def on_unmount(self) -> None:
        """Close the watcher."""
        if self._ref is not None:
            self._ref.watcher.close()

    def on_show(self) -> None:
        """Resume if the widget is displayed."""
        self._update_pause()

    def on_hide(self) -> None:
        """Pause unless the widget is only covered or scrolled away."""
        self._update_pause()

    def _update_pause(self, _: object = None) -> None:
        """Pause while the widget cannot be visible without a change of the screen or of a style."""
        hidden = not (self._screen_shows() and all(node.display for node in self.ancestors_with_self))
        if hidden is self._is_hidden or self.ref.watcher.closed:
            return
        self._is_hidden = hidden
        if hidden:
            self.ref.watcher.pause()
        else:
            self.ref.watcher.resume()

    def _screen_shows(self) -> bool:
        """Whether no opaque screen covers this widget's screen; modal screens are not opaque."""
        for screen in reversed(app_of(self).screen_stack):
            if screen is self.screen:
                return True
            if screen.styles.background.a == 1:
                break
        return False


class ConsumerWidget(Consumer):
    """A widget that shows the result of ``build``: a string (without markup), Content, or a Rich renderable."""

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
        """Return the content to show."""
        raise NotImplementedError

    def on_dirty(self) -> None:
        """Render this widget again."""
        self.refresh(layout=self.styles.auto_dimensions)

    def begin(self) -> None:
        """Do nothing: the first render builds the widget."""

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Build and render again; ignored during a build, which renders anyway."""
        if self._is_building:
            return self
        self._shown = None
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def render(self) -> RenderResult:
        """Return the result of the last build; Textual calls this several times per layout."""
        shown = self._shown
        if shown is None:
            self._is_building = True
            try:
                shown = self._shown = self.rebuild()
            finally:
                self._is_building = False
        return shown
