"""The two screens of the original specification as a terminal app, with the generated providers and a worker."""

from textual.widgets import TabbedContent

from examples.terminal_app.app import TerminalApp
from examples.terminal_app.pending import PendingJobs
from providers import background_service_provider
from tetherpy.ui.textual.jobs.enqueue_form import EnqueueScreen
from tetherpy.ui.textual.jobs.job_table import JobTable
from tetherpy.ui.textual.jobs.service_tab import ServiceCard


async def test_the_service_starts_a_dummy_task_runs_and_its_notification_is_shown(until, shown):
    app = TerminalApp()
    async with app.run_test(size=(80, 24)) as pilot:
        card, pending = app.query_one(ServiceCard), app.query_one(PendingJobs)
        await until(pilot, lambda: "No pending jobs" in shown(app, pending))
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, EnqueueScreen) and app.screen.is_mounted)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "'dummyTask' (ID: 1)  attempts: 0" in shown(app, pending))
        await until(pilot, lambda: not isinstance(app.screen, EnqueueScreen))
        await pilot.press("s")
        await until(pilot, lambda: "Dummy Task Completed" in shown(app, card))
        assert "Finished processing: Hello from the terminal" in shown(app, card)
        await until(pilot, lambda: "No pending jobs" in shown(app, pending))

        await pilot.press("f2")
        await until(pilot, lambda: app.query_one(TabbedContent).active == "jobs")
        table = app.query_one(JobTable)
        await until(pilot, lambda: app.focused is table)
        await pilot.press("3")
        await until(pilot, lambda: table.row_count == 1 and '"steps":5' in table.get_row_at(0)[-1].plain)

        service = app.container.read(background_service_provider)
        await service.stop(timeout=0)
        await pilot.press("f1")
        await until(pilot, lambda: "stopped" in shown(app, card))
        await pilot.press("q")
        await until(pilot, lambda: app.return_code == 0)
    assert app.container.disposed


def test_on_a_real_terminal_the_app_quits_cleanly(on_terminal):
    code, output = on_terminal("-m", "examples.terminal_app", until=b"No pending jobs", key=b"q")
    assert code == 0
    assert b"\x1b[?1049h" in output
    assert output.rindex(b"\x1b[?1049l") > output.rindex(b"\x1b[?1049h")  # the terminal is restored
    assert b"Traceback" not in output
