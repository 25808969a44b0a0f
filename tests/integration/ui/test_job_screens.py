"""The job screens, controlled by keys, with a real database and a real worker."""

import contextlib
import re
import sqlite3
from pathlib import Path

import pytest
from textual.widgets import Button, Input, Label, TextArea

from tetherpy.jobs import BackgroundJobStatus, NewJob
from tetherpy.service import BackgroundService
from tetherpy.ui import providers_of
from tetherpy.ui.textual import JobsApp
from tetherpy.ui.textual.jobs.confirm_screen import ConfirmScreen
from tetherpy.ui.textual.jobs.enqueue_form import EnqueueScreen
from tetherpy.ui.textual.jobs.job_detail import JobDetail, JobScreen
from tetherpy.ui.textual.jobs.job_table import JobTable, TableNote
from tetherpy.ui.textual.jobs.service_tab import BackgroundServiceTab, ServiceCard, ServiceLine
from tetherpy.ui.textual.jobs.tiles import StatusTile

HOSTILE_SHOWN = r"[red]boom[/] \x1b[31m\x1b]0;title\x07 \u202e <b>"


class Desk:
    """Records its notifications."""

    def __init__(self):
        self.titles = []

    async def show(self, notification):
        self.titles.append(notification.title)
        return True


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
def app(database_path, service, desk):
    suggested = NewJob(job_key="steps", payload="walk", priority=4)
    return JobsApp(providers_of(database_path, lambda: service), suggested=suggested, notifications=desk)


def notes(app):
    return [notification.message for notification in app._notifications]


def rows(app):
    table = app.query_one(JobTable)
    return [[cell.plain for cell in table.get_row_at(row)] for row in range(table.row_count)]


def count(app, status, shown):
    return shown(app, app.query_one(f"#tile-{status}", StatusTile)).split()[-1]


def last_cell(app):
    return rows(app)[0][-1] if rows(app) else ""


def answers(app, kind):
    return lambda: isinstance(app.screen, kind) and app.screen.is_mounted


def is_gone(app, kind):
    return lambda: not isinstance(app.screen, kind)


def has_focus(app, kind):
    return lambda: isinstance(app.focused, kind)


async def test_a_job_can_be_enqueued_followed_cancelled_and_retried(app, service, manager, until, shown, desk):
    await service.start()
    async with app.run_test(size=(160, 40)) as pilot:
        await until(pilot, lambda: "No pending jobs" in shown(app, app.query_one(TableNote)))
        await pilot.press("e")
        await until(pilot, answers(app, EnqueueScreen))
        assert app.screen.query_one("#key", Input).value == "steps"
        app.screen.query_one("#payload", TextArea).text = "{no json"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "JSON" in shown(app, app.screen.query_one("#error")))
        app.screen.query_one("#payload", TextArea).text = '"walk"'
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "Job 1 (steps) enqueued." in notes(app))
        await until(pilot, is_gone(app, EnqueueScreen))

        await pilot.press("2")
        for step in (1, 2):
            Path(f"walk.{step}").touch()
            await until(pilot, lambda step=step: f"{25 * step}% step {step} {HOSTILE_SHOWN}" in last_cell(app))
        await until(
            pilot, lambda: f"50% step 2 {HOSTILE_SHOWN}" in " ".join(shown(app, app.query_one(JobDetail)).split())
        )
        await until(pilot, lambda: "At step 2" in shown(app, app.query_one(ServiceLine)))
        await until(pilot, lambda: count(app, "running", shown) == "1")

        await pilot.press("c")
        await until(pilot, lambda: "Cancellation requested for job 1." in notes(app))
        assert (await manager.wait_for(1, timeout=25)).status is BackgroundJobStatus.CANCELLED

        await pilot.press("5")
        await until(pilot, lambda: app.query_one(JobTable).status is BackgroundJobStatus.CANCELLED and rows(app))
        Path("walk.3").touch()
        await pilot.press("r")
        await until(pilot, lambda: "Job 1 queued for retry." in notes(app))
        assert (await manager.wait_for(1, timeout=25)).status is BackgroundJobStatus.COMPLETED
        await pilot.press("3")
        await until(pilot, lambda: last_cell(app) == '"walked"')
        await until(pilot, lambda: desk.titles == ["Done: steps #1"])


async def test_a_failed_job_shows_its_error_attempts_and_traceback(app, service, manager, until, shown):
    await service.start()
    job_id = await manager.enqueue("broken", max_attempts=1)
    await manager.wait_for(job_id, timeout=25)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: len(rows(app)) == 1)
        assert rows(app)[0][-1] == f"ValueError: {HOSTILE_SHOWN}"
        assert not app.query_one("#beside").display
        await pilot.press("enter")
        await until(pilot, answers(app, JobScreen))
        detail = app.screen.query_one(JobDetail)
        await until(pilot, lambda: "TRACEBACK OF THE LAST ATTEMPT" in shown(app, detail))
        text = shown(app, detail)
        assert "✗ FAILED  attempt 1 of 1" in text
        assert f"ValueError: {HOSTILE_SHOWN}" in text
        assert "raise ValueError(HOSTILE)" in text
        assert re.search(r"LOG OF THE LAST ATTEMPT\s+\S+Z INFO stdout: about to fail", text)
        await pilot.press("escape")
        await until(pilot, is_gone(app, JobScreen))
        assert "\x1b" not in shown(app)


async def test_deletion_asks_for_confirmation(app, manager, until, shown):
    ids = await manager.enqueue_many(NewJob(job_key=f"job {n}", delay=1_000) for n in range(5))
    async with app.run_test() as pilot:
        await until(pilot, lambda: len(rows(app)) == 5)
        await pilot.press("down", "down")
        await until(pilot, lambda: app.query_one(JobTable).job_id == 3)
        await pilot.press("d")
        await until(pilot, answers(app, ConfirmScreen))
        await until(pilot, lambda: "Delete job 3" in shown(app))
        await until(pilot, has_focus(app, Button))
        await pilot.press("enter")  # the focus is on the cancel button
        await until(pilot, is_gone(app, ConfirmScreen))
        await pilot.press("d")
        await until(pilot, answers(app, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: [row[0] for row in rows(app)] == ["5", "4", "2", "1"])
        assert app.query_one(JobTable).job_id == 2  # the cursor is at the position of the deleted row
        assert await manager.get_job_by_id(ids[2]) is None
        await pilot.press("D")
        await until(pilot, answers(app, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: "4 jobs deleted." in notes(app))
        await until(pilot, lambda: rows(app) == [] and count(app, "pending", shown) == "0")


async def test_the_cursor_stays_on_its_job_when_rows_are_added(app, manager, until):
    await manager.enqueue_many(NewJob(job_key="waits", delay=1_000) for _ in range(3))
    async with app.run_test() as pilot:
        await until(pilot, lambda: len(rows(app)) == 3)
        await pilot.press("down")
        table = app.query_one(JobTable)
        await until(pilot, lambda: table.job_id == 2)
        await manager.enqueue_many(NewJob(job_key="new", delay=1_000) for _ in range(40))
        await until(pilot, lambda: len(rows(app)) == 43)
        assert (table.job_id, table.cursor_row) == (2, 41)


async def test_jobs_can_be_searched_by_text(app, manager, until, shown):
    await manager.enqueue_many(
        NewJob(job_key=key, payload={"to": to}, delay=1_000)
        for key, to in (("mail", "Ada"), ("report", "Grace"), ("mail", "Grace"))
    )
    async with app.run_test() as pilot:
        await until(pilot, lambda: len(rows(app)) == 3)
        await pilot.press("slash")
        await until(pilot, has_focus(app, Input))
        await pilot.press(*"Grace", "enter")
        await until(pilot, lambda: [row[0] for row in rows(app)] == ["3", "2"])
        await until(pilot, lambda: "2 pending jobs with 'Grace'" in shown(app, app.query_one(TableNote)))
        await until(pilot, has_focus(app, JobTable))
        await manager.cancel_job(3)
        await until(pilot, lambda: [row[0] for row in rows(app)] == ["2"])
        await pilot.press("5")
        await until(pilot, lambda: [row[0] for row in rows(app)] == ["3"])
        await pilot.press("3")
        await until(pilot, lambda: "No completed jobs with 'Grace'" in shown(app, app.query_one(TableNote)))
        await pilot.press("escape", "1")
        await until(pilot, lambda: [row[0] for row in rows(app)] == ["2", "1"])


async def test_jobs_can_be_searched_by_meta(app, manager, until, shown):
    await manager.enqueue_many(
        NewJob(job_key="mail", payload=text, meta=meta, delay=1_000)
        for text, meta in (("a", {"tenant": "7"}), ("b", {"tenant": "70"}), ("ab", {"tenant": "7"}), ("a", None))
    )
    async with app.run_test() as pilot:
        await until(pilot, lambda: len(rows(app)) == 4)
        await pilot.press("slash")
        await until(pilot, has_focus(app, Input))
        await pilot.press("tab", *"tenant=7", "enter")
        await until(pilot, lambda: [row[0] for row in rows(app)] == ["3", "1"])
        await until(pilot, lambda: "2 pending jobs with 'tenant=7'" in shown(app, app.query_one(TableNote)))
        await pilot.press("slash")
        await until(pilot, has_focus(app, Input))
        await pilot.press("b", "enter")
        await until(pilot, lambda: [row[0] for row in rows(app)] == ["3"])
        await until(pilot, lambda: "1 pending job with 'b' and 'tenant=7'" in shown(app, app.query_one(TableNote)))
        await pilot.press("escape")
        await until(pilot, lambda: len(rows(app)) == 4)


async def test_the_form_has_the_options_of_the_definition(app, service, manager, until):
    await service.start()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("e")
        await until(pilot, answers(app, EnqueueScreen))
        field = lambda name: app.screen.query_one(f"#{name}", Input)  # noqa: E731
        assert field("priority").value == "4"  # of the suggested job
        field("timeout").value = "9"
        field("key").value = "declared"
        await until(pilot, lambda: field("queue").value == "mail")
        assert (field("priority").value, field("meta").value) == ("0", '{"tenant":"7"}')
        field("meta").value = '{"tenant": "8"}'
        field("max_attempts").value = ""
        field("version").value = ""
        app.screen.query_one("#payload", TextArea).text = '"x"'
        await pilot.press("ctrl+s")
        await until(pilot, is_gone(app, EnqueueScreen))
        await until(pilot, lambda: bool(notes(app)))
    job = await manager.get_job_by_id(1)
    assert (job.job_key, job.queue, job.max_attempts, dict(job.meta)) == ("declared", "mail", 7, {"tenant": "8"})
    assert (job.timeout.total_seconds(), job.version, job.payload) == (9, None, "x")


async def test_the_view_of_a_job_is_not_updated_when_another_job_changes(app, manager, until, shown):
    first, second = await manager.enqueue_many(NewJob(job_key="waits", delay=1_000) for _ in range(2))
    built = []

    class Counted(JobDetail):
        def build(self, ref):
            content = super().build(ref)
            attempts = self._providers.attempts(self.job_id)
            built.append(ref.exists(attempts) and ref.read(attempts).has_value)
            return content

    async with app.run_test(size=(160, 40)) as pilot:
        await app.mount(Counted(app._providers, first))
        counted = app.query_one(Counted)
        await until(pilot, lambda: "PENDING" in shown(app, counted) and built[-1])
        await until(pilot, lambda: len(rows(app)) == 2)
        before = len(built)
        for _ in range(3):
            await manager.update_job_status(second, BackgroundJobStatus.RUNNING)
            await until(pilot, lambda: len(rows(app)) == 1)
            await manager.update_job_status(second, BackgroundJobStatus.PENDING)
            await until(pilot, lambda: len(rows(app)) == 2)
        assert len(built) == before
        await manager.update_job_status(first, BackgroundJobStatus.RUNNING)
        await until(pilot, lambda: "RUNNING" in shown(app, counted))
        assert len(built) > before


async def test_a_tile_is_updated_only_for_its_own_count(app, manager, until, shown):
    built = {}
    build = StatusTile.build

    def counting(self, ref):
        built[self.status] = built.get(self.status, 0) + 1
        return build(self, ref)

    StatusTile.build = counting
    try:
        async with app.run_test() as pilot:
            tiles = [status.lower() for status in BackgroundJobStatus]
            await until(pilot, lambda: {count(app, tile, shown) for tile in tiles} == {"0"})
            before = dict(built)
            await manager.enqueue("waits", delay=1_000)
            await until(pilot, lambda: count(app, "pending", shown) == "1")
            assert {status for status in built if built[status] > before[status]} == {BackgroundJobStatus.PENDING}
    finally:
        StatusTile.build = build


async def test_the_service_can_be_started_and_stopped(app, service, until, shown):
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("w")
        card = app.query_one(ServiceCard)
        await until(pilot, lambda: "stopped" in shown(app, card))
        start, stop = app.query_one("#start", Button), app.query_one("#stop", Button)
        assert (start.disabled, stop.disabled) == (False, True)
        await until(pilot, lambda: start.is_on_screen)
        await pilot.click("#start")
        await until(pilot, lambda: "Service status: running" in shown(app, card))
        await until(pilot, lambda: "Workers started." in notes(app))
        assert "Callback      screens_worker:initialize, since 20" in shown(app, card)
        assert await service.is_running()
        await until(pilot, lambda: (start.disabled, stop.disabled) == (True, False))
        await pilot.press("x")
        await until(pilot, answers(app, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: "Workers stopped." in notes(app))
        await until(pilot, lambda: "stopped" in shown(app, card))
        assert not await service.is_running()


async def test_an_error_is_shown_without_a_traceback(database_path, manager, until, shown):
    service = BackgroundService(database_path, "no_such_module:initialize")
    app = JobsApp(providers_of(database_path, lambda: service))
    await manager.enqueue("waits", delay=1_000)
    async with app.run_test() as pilot:
        await pilot.press("w")
        await until(pilot, has_focus(app, BackgroundServiceTab))
        await pilot.press("s")
        await until(pilot, lambda: any("no_such_module" in note for note in notes(app)))
        await pilot.press("j")
        await until(pilot, has_focus(app, JobTable))
        await until(pilot, lambda: len(rows(app)) == 1)
        await pilot.press("d")
        await until(pilot, answers(app, ConfirmScreen))
        await manager.cancel_job(1)
        await manager.delete_job(1)
        await pilot.press("y")
        await until(pilot, lambda: any("There is no job 1" in note for note in notes(app)))
        assert app.is_running
        assert "Traceback" not in shown(app)


async def test_a_database_that_cannot_be_opened_is_shown_as_an_error(folder, until, shown):
    path = folder / "app.db"
    path.write_text("no database at all, but a text of some length" * 100)
    app = JobsApp(providers_of(path, lambda: BackgroundService(path, "screens_worker:initialize")))
    app.container._on_error = lambda error, where: None
    async with app.run_test() as pilot:
        await until(pilot, lambda: "Could not load the jobs: NotADatabaseError" in shown(app, app.query_one(TableNote)))
        await pilot.press("e")
        await until(pilot, answers(app, EnqueueScreen))
        app.screen.query_one("#key", Input).value = "job"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: bool(notes(app)))
        assert "the file is not an SQLite database" in notes(app)[0]
        assert "is in error" not in notes(app)[0]
        assert app.is_running


@pytest.mark.parametrize("size", [(20, 6), (200, 50)])
async def test_the_app_fits_every_terminal_size(app, manager, until, shown, size):
    await manager.enqueue("waits", {"text": "x" * 5_000}, delay=1_000)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: len(rows(app)) == 1)
        assert app.query_one("#beside").display is (size[0] >= 110)
        for key in ("w", "j", "question_mark", "question_mark", "e", "escape", "enter", "escape"):
            await pilot.press(key)
        assert app.is_running


async def test_the_footer_shows_the_available_actions(app, until, shown):
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "Enqueue" in shown(app).splitlines()[-1])
        offered = {"1": "Cancel", "2": "Cancel", "3": "Retry", "4": "Retry", "5": "Retry"}
        for key, action in offered.items():
            await pilot.press(key)
            wanted = {action, "Quit"} if key == "2" else {action, "Delete", "Quit"}
            await until(
                pilot,
                lambda wanted=wanted: {"Cancel", "Retry", "Delete", "Quit"} & set(shown(app).split()) == wanted,
            )


async def test_control_sequences_in_rows_are_displayed_and_not_interpreted(app, database_path, manager, until, shown):
    job_id = await manager.enqueue("job", max_attempts=1)
    await manager.update_job_status(job_id, BackgroundJobStatus.RUNNING)
    hostile = "[red]boom[/] \x1b[31m\x1b]0;title\x07 \u202e <b>"
    with contextlib.closing(sqlite3.connect(database_path)) as connection, connection:
        connection.execute(
            "UPDATE background_service_jobs SET job_key = ?, payload = ?, progress_message = ?, progress = 0.5, "
            "last_error = ?, claimed_by = ?, queue = ?, unique_key = ?",
            (hostile, "[" * 50_000 + hostile, hostile + "\n" * 500, hostile * 2_000, hostile, hostile, hostile),
        )
        connection.execute("UPDATE background_service_job_attempts SET worker = ?, error = ?", (hostile, hostile))
    async with app.run_test(size=(160, 60)) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: rows(app) and rows(app)[0][1] == HOSTILE_SHOWN)
        detail = app.query_one(JobDetail)
        await until(pilot, lambda: "UNIQUE KEY" in shown(app, detail).upper())
        await pilot.press("3", "2")
        await until(pilot, lambda: app.query_one(JobTable).status is BackgroundJobStatus.RUNNING and rows(app))
        for key, screen, back in (("enter", JobScreen, "escape"), ("e", EnqueueScreen, "escape")):
            await pilot.press(key)
            await until(pilot, answers(app, screen))
            await pilot.press(back)
            await until(pilot, is_gone(app, screen))
        await until(pilot, lambda: "characters left out" in shown(app, detail))
        for text in (shown(app, detail), shown(app)):
            assert HOSTILE_SHOWN[:12] in text
            assert not {"\x1b", "\x07", "\u202e"} & set(text)


async def test_an_invalid_job_is_refused_in_the_form(app, manager, until, shown):
    hostile = [
        ("meta", "tenant=7"),
        ("meta", "7"),
        ("delay", "1e300"),
        ("delay", "nan"),
        ("priority", "9" * 40),
        ("max_attempts", "0"),
        ("max_attempts", "9" * 5_000),
    ]
    async with app.run_test() as pilot:
        await pilot.press("e")
        await until(pilot, answers(app, EnqueueScreen))
        refusal = app.screen.query_one("#error", Label)
        for field, text in [*hostile, ("key", "")]:
            entry = app.screen.query_one(f"#{field}", Input)
            good, entry.value = entry.value, text
            refusal.update("")
            await pilot.press("ctrl+s")
            await until(pilot, lambda: shown(app, refusal).strip() != "")
            assert isinstance(app.screen, EnqueueScreen)
            entry.value = good
        assert (await manager.get_counts()).total == 0
