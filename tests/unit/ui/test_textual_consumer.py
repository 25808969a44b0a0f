"""Widgets built from providers: updates, pauses and disposal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.pilot import Pilot
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import DataTable, Label, Static, TabbedContent, TabPane

from tetherpy.reactive import ContainerDisposedError, Provider, ProviderContainer, ProviderError, Ref, StateProvider
from tetherpy.ui import WatcherClosedError
from tetherpy.ui.textual import (
    Consumer,
    ConsumerWidget,
    NoProviderScopeError,
    ProviderApp,
    ProviderScope,
    WidgetRef,
    container_of,
)

number = StateProvider.family(lambda ref, key: 0)
user = Provider.options(dependencies=[])(lambda ref: "nobody")


class Number(ConsumerWidget):
    """Shows a number, and counts its builds."""

    def __init__(self, key: str) -> None:
        super().__init__(id=key)
        self.key = key
        self.builds = 0

    def build(self, ref: WidgetRef) -> str:
        self.builds += 1
        return f"[red]{self.key}[/] {ref.watch(number(self.key))}"


class Greeting(ConsumerWidget):
    def build(self, ref: WidgetRef) -> str:
        return f"Hello {ref.watch(user)}"


def text_of(widget: Widget) -> str:
    return "\n".join(
        "".join(segment.text for segment in strip) for strip in widget.render_lines(widget.region.reset_offset)
    )


def put(node: App[Any], key: str, value: int) -> None:
    container_of(node).read(number(key).notifier).state = value


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Wait until a condition holds; Textual's own pause ends early when the process looks idle."""
    async with asyncio.timeout(25):
        while not condition():
            await pilot.pause()


class Numbers(ProviderApp[None]):
    def compose(self) -> ComposeResult:
        yield Number("a")
        yield Number("b")


async def test_only_widgets_that_watch_the_change_are_updated() -> None:
    app = Numbers()
    async with app.run_test() as pilot:
        await pilot.pause()
        a, b = app.query(Number)
        await until(pilot, lambda: a.builds > 0 and b.builds > 0)
        drawn = a.builds, b.builds
        for value in range(1, 4):
            put(app, "a", value)
        await pilot.pause()
        assert text_of(a) == "[red]a[/] 3"
        assert (a.builds, b.builds) == (drawn[0] + 1, drawn[1])


async def test_an_unmounted_widget_watches_nothing() -> None:
    async with shown_number() as (app, pilot, widget):
        await widget.remove()
        assert not app.container.elements[number("a")].listeners
        with pytest.raises(WatcherClosedError):
            widget.ref.watch(number("a"))
        put(app, "a", 5)
        await pilot.pause()
    assert app.container.disposed


async def test_a_container_that_was_passed_in_stays_open() -> None:
    async with ProviderContainer() as container:
        app = Numbers(container)
        async with app.run_test() as pilot:
            await pilot.pause()
            assert app.container is container
        assert not container.disposed
        assert not container.elements[number("a")].listeners


async def test_asynchronous_disposal_is_awaited_when_the_app_ends() -> None:
    undone: list[str] = []

    @Provider
    def opened(ref: Ref) -> int:
        async def undo() -> None:
            for _ in range(100):
                await asyncio.sleep(0)
            undone.append("undone")

        ref.on_dispose(undo)
        return 1

    app = Numbers()
    async with app.run_test():
        app.container.read(opened)
    assert undone == ["undone"]


# -- scopes --------------------------------------------------------------------------------------


class Scopes(ProviderApp[None]):
    def compose(self) -> ComposeResult:
        yield Greeting(id="outer")
        with ProviderScope(overrides=[user.override_with_value("Ada")], id="scope"):
            yield Greeting(id="inner")
            with ProviderScope(overrides=[user.override_with_value("Grace")]):
                yield Greeting(id="innermost")


async def test_overrides_apply_inside_their_scope() -> None:
    app = Scopes(overrides=[user.override_with_value("root")])
    async with app.run_test() as pilot:
        await pilot.pause()
        shown = [text_of(app.query_one(f"#{name}")) for name in ("outer", "inner", "innermost")]
        assert shown == ["Hello root", "Hello Ada", "Hello Grace"]
        scope = app.query_one("#scope", ProviderScope)
        container = scope.container
        await scope.remove()
        assert container.disposed
        assert not app.container.disposed


async def test_without_a_scope_the_error_has_a_remedy() -> None:
    class Bare(App[None]):
        def compose(self) -> ComposeResult:
            yield Label("bare")

    app = Bare()
    async with app.run_test():
        label = app.query_one(Label)
        with pytest.raises(NoProviderScopeError, match="ProviderApp") as raised:
            container_of(label)
        assert raised.value.node is label
    with pytest.raises(NoProviderScopeError):
        _ = ProviderScope().container


# -- rest ----------------------------------------------------------------------------------------


@asynccontextmanager
async def shown_number() -> AsyncIterator[tuple[App[None], Pilot[None], Number]]:
    """Run an app that shows one number."""
    app = Numbers()
    async with app.run_test() as pilot:
        await pilot.pause()
        yield app, pilot, app.query_one("#a", Number)


class Other(Screen[None]):
    def compose(self) -> ComposeResult:
        yield Static("another screen")


class Question(ModalScreen[None]):
    def compose(self) -> ComposeResult:
        yield Static("a question")


async def test_a_widget_is_paused_while_it_is_not_displayed() -> None:
    async with shown_number() as (app, pilot, widget):
        widget.display = False
        await until(pilot, lambda: widget.ref.watcher.is_paused)
        builds = widget.builds
        put(app, "a", 7)
        await pilot.pause()
        assert widget.builds == builds
        widget.display = True
        await until(pilot, lambda: not widget.ref.watcher.is_paused)
        assert text_of(widget) == "[red]a[/] 7"


async def test_an_invisible_widget_is_not_paused_for_ever() -> None:
    async with shown_number() as (app, pilot, widget):
        widget.visible = False
        await pilot.pause()
        widget.visible = True
        await pilot.pause()
        put(app, "a", 7)
        await pilot.pause()
        assert text_of(widget) == "[red]a[/] 7"


async def test_a_widget_is_paused_in_a_hidden_tab() -> None:
    class Tabs(ProviderApp[None]):
        def compose(self) -> ComposeResult:
            with TabbedContent():
                with TabPane("one", id="one"):
                    yield Number("a")
                with TabPane("two", id="two"):
                    yield Number("b")

    app = Tabs()
    async with app.run_test() as pilot:
        await pilot.pause()
        a, b = app.query(Number)
        await until(pilot, lambda: (a.ref.watcher.is_paused, b.ref.watcher.is_paused) == (False, True))
        put(app, "b", 5)
        app.query_one(TabbedContent).active = "two"
        await until(pilot, lambda: (a.ref.watcher.is_paused, b.ref.watcher.is_paused) == (True, False))
        assert text_of(b) == "[red]b[/] 5"


async def test_a_widget_is_paused_under_another_screen_but_not_under_a_dialog() -> None:
    async with shown_number() as (app, pilot, widget):
        await app.push_screen(Question())
        await pilot.pause()
        put(app, "a", 1)
        await pilot.pause()
        assert text_of(widget) == "[red]a[/] 1"
        app.pop_screen()
        await app.push_screen(Other())
        await until(pilot, lambda: widget.ref.watcher.is_paused)
        put(app, "a", 2)
        app.pop_screen()
        await until(pilot, lambda: not widget.ref.watcher.is_paused)
        assert text_of(widget) == "[red]a[/] 2"


# -- widgets of Textual --------------------------------------------------------------------------


class Squares(DataTable[str], Consumer):
    builds = 0

    def on_mount(self) -> None:
        self.add_columns("n", "square")

    def build(self, ref: WidgetRef) -> None:
        self.builds += 1
        self.clear()
        for n in range(ref.watch(number("a"))):
            self.add_row(str(n), str(n * n))


async def test_a_widget_of_textual_is_updated() -> None:
    class Table(ProviderApp[None]):
        def compose(self) -> ComposeResult:
            with Vertical():
                yield Squares()
                yield Number("b")

    app = Table()
    async with app.run_test() as pilot:
        await pilot.pause()
        table = app.query_one(Squares)
        assert (table.row_count, table.builds) == (0, 1)
        put(app, "a", 2)
        put(app, "a", 3)
        put(app, "b", 3)
        await pilot.pause()
        assert (table.row_count, table.builds) == (3, 2)
        await table.remove()
        assert not app.container.elements[number("a")].listeners


async def test_ref_supports_read_listen_refresh_and_invalidate() -> None:
    heard: list[int] = []
    builds: list[int] = []

    @Provider
    def built(ref: Ref) -> int:
        builds.append(1)
        return ref.watch(number("a"))

    class Listener(ConsumerWidget):
        def build(self, ref: WidgetRef) -> str:
            ref.listen(number("a"), lambda previous, value: heard.append(value))
            return str(ref.read(built))

    class Listening(ProviderApp[None]):
        def compose(self) -> ComposeResult:
            yield Listener()

    app = Listening()
    async with app.run_test() as pilot:
        await pilot.pause()
        ref = app.query_one(Listener).ref
        assert ref.container is app.container
        assert ref.exists(built)
        put(app, "a", 4)
        await pilot.pause()
        assert heard == [4]
        assert text_of(app.query_one(Listener)) == "0"
        assert ref.refresh(built) == 4
        ref.invalidate(built)
        assert ref.read(built) == 4
        assert len(builds) == 3
    with pytest.raises(ContainerDisposedError):
        ref.read(built)


async def test_a_widget_shows_an_error_of_its_provider_and_recovers() -> None:
    async with ProviderContainer(on_error=lambda error, where: None) as container:

        @Provider
        def fragile(ref: Ref) -> int:
            if ref.watch(number("a")) < 0:
                raise ValueError("negative")
            return ref.watch(number("a"))

        class Fragile(ConsumerWidget):
            def build(self, ref: WidgetRef) -> str:
                try:
                    return f"is {ref.watch(fragile)}"
                except ProviderError as error:
                    return f"failed: {error.__cause__}"

        class Failing(ProviderApp[None]):
            def compose(self) -> ComposeResult:
                yield Fragile()

        app = Failing(container)
        async with app.run_test() as pilot:
            await pilot.pause()
            shown: list[str] = []
            for value in (-1, 3):
                put(app, "a", value)
                await pilot.pause()
                shown.append(text_of(app.query_one(Fragile)))
            assert shown == ["failed: negative", "is 3"]
