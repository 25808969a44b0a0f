"""The actions behind the buttons: one timeout, one confirmation and one message for all interfaces."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.laws.imports import LIBRARY
from tetherpy.jobs import BackgroundJobStatus, NewJob, open_engine
from tetherpy.ui.actions import CANCEL, CONFIRM_STOP, DELETE, RESET_AND_RETRY, RETRY, STOP_TIMEOUT, JobAction

ACTION_CALLS = {"retry_job", "cancel_job", "delete_job", "request_cancel"}


@pytest.mark.parametrize(
    ("action", "one", "many"),
    [
        (RETRY, "Job 7 queued for retry.", "1,200 jobs queued for retry."),
        (CANCEL, "Cancellation requested for job 7.", "Cancellation requested for 1,200 jobs."),
        (DELETE, "Job 7 deleted.", "1,200 jobs deleted."),
    ],
)
def test_messages_name_a_single_job_and_count_several(action: JobAction, one: str, many: str) -> None:
    assert (action.message(1, 7), action.message(1200)) == (one, many)


def test_only_irreversible_actions_ask_for_confirmation_of_named_jobs() -> None:
    assert [action.confirm_one(7) is None for action in (RETRY, CANCEL, DELETE)] == [True, True, False]
    assert [action.confirm_selected() is None for action in (RETRY, CANCEL, DELETE)] == [True, True, False]
    prompt = DELETE.confirm_all("all failed jobs")
    assert (prompt.text, prompt.yes) == ("Delete all failed jobs? This cannot be undone.", "Delete all")
    assert CANCEL.confirm_all("all pending jobs").text == "Cancel all pending jobs?"


async def test_jobs_that_refuse_an_action_do_not_block_others(tmp_path: Path) -> None:
    async with open_engine(tmp_path / "app.db") as engine:
        ids = await engine.enqueue([NewJob(job_key="k", delay=900) for _ in range(2)])
        results = await RETRY.run(engine, [*ids, 99])
        assert (results.jobs, len(results.refused)) == ([], 3)
        assert results.message().startswith("3 refused: ")
        results = await CANCEL.run(engine, [ids[0], 99, ids[1]])
        assert [job.status for job in results.jobs] == [BackgroundJobStatus.CANCELLED] * 2
        assert results.message().startswith("Cancellation requested for 2 jobs. 1 refused: There is no job 99")
        results = await DELETE.run(engine, ids[:1])
        assert results.message() == f"Job {ids[0]} deleted."
        assert results.message(earlier=500) == "501 jobs deleted."
        assert (await DELETE.run(engine, [99])).message().startswith("There is no job 99")


@pytest.mark.parametrize("action", [RETRY, RESET_AND_RETRY])
async def test_the_results_contain_the_changed_jobs(tmp_path: Path, action: JobAction) -> None:
    async with open_engine(tmp_path / "app.db") as engine:
        (job_id,) = await engine.enqueue([NewJob(job_key="k", delay=900)])
        await CANCEL.run(engine, [job_id])
        (job,) = (await action.run(engine, [job_id])).jobs
        assert (job.id, job.status) == (job_id, BackgroundJobStatus.PENDING)


def test_page_terminal_app_and_command_line_call_the_shared_actions() -> None:
    """No other module calls an action of the manager, or stops a service with a different timeout."""
    calls = [
        f"{path.relative_to(LIBRARY)}:{node.lineno} calls {node.func.attr}"
        for folder in ("ui", "cli")
        for path in (LIBRARY / folder).rglob("*.py")
        if path != LIBRARY / "ui" / "actions.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr in ACTION_CALLS or (node.func.attr == "stop" and not is_bounded_by_the_shared_timeout(node))
    ]
    assert calls == []


def is_bounded_by_the_shared_timeout(call: ast.Call) -> bool:
    receiver = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    return "service" not in receiver or any("STOP_TIMEOUT" in ast.unparse(argument) for argument in call.args)


def test_the_prompt_of_stop_contains_the_timeout() -> None:
    assert f"{STOP_TIMEOUT:.0f} seconds" in CONFIRM_STOP.text
