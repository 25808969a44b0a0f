"""``tetherpy top`` on a real terminal, and its errors where it cannot run."""

import asyncio
import subprocess
import sys

import pytest

from tetherpy.jobs import NewJob
from tetherpy.service import BackgroundService
from tetherpy.ui import providers_of
from tetherpy.ui.textual import BackgroundServiceTab, JobsApp

COMMAND = ("-m", "tetherpy.cli", "top", "--database", "app.db")


async def test_the_terminal_app_shows_the_jobs_of_a_database_and_quits_at_ctrl_c(manager, on_terminal):
    await manager.enqueue_many(NewJob(job_key=f"report {number}", delay=1_000) for number in range(3))
    code, output = await asyncio.to_thread(on_terminal, *COMMAND, until=b"report 2", key=b"\x03")
    assert code == 0
    assert b"app.db" in output
    assert output.rindex(b"\x1b[?1049l") > output.rindex(b"\x1b[?1049h")


async def test_without_a_callback_workers_cannot_be_started(database_path):
    providers = providers_of(database_path, lambda: BackgroundService(database_path, "no:callback"), startable=False)
    app = JobsApp(providers)
    async with app.run_test() as pilot:
        await pilot.press("w")
        assert app.query_one("#start").disabled
        assert "start" not in [binding.binding.action for binding in app.screen.active_bindings.values()]
        assert app.query_one(BackgroundServiceTab).check_action("stop", ())


@pytest.mark.parametrize(
    ("database", "told"), [("app.db", "There is no database"), ("real.db", "This command needs a terminal")]
)
def test_an_error_is_one_line_with_the_reason(folder, database, told):
    if database == "real.db":
        command = [sys.executable, "-m", "tetherpy.cli", "migrate", "--database", database]
        made = subprocess.run(command, check=False, capture_output=True, text=True)
        assert made.returncode == 0, made.stderr
    done = subprocess.run(
        [sys.executable, "-m", "tetherpy.cli", "top", "--database", database],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 1
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
