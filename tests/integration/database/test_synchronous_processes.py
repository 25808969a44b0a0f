"""``SyncJobManager`` in processes that fork, are interrupted, and end without a close."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tetherpy.jobs import BackgroundJobManager

FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is POSIX's")

IN_A_FORK = """
    import os, sys, warnings
    from tetherpy.jobs import SyncJobManager
    warnings.simplefilter("ignore", DeprecationWarning)  # forking with threads is what is tried here

    jobs = SyncJobManager.open(sys.argv[1])
    {before}
    if (child := os.fork()) == 0:
        jobs.enqueue("of the child")
        sys.exit()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == {status}
    jobs.enqueue("of the parent")
"""


async def keys(address: Any) -> list[str]:
    async with BackgroundJobManager.open(address) as jobs:
        return sorted(job.job_key for job in await jobs.get_all_jobs())


@FORKS
async def test_a_manager_that_is_not_open_yet_is_opened_in_each_forked_process(child, tmp_path):
    await child(IN_A_FORK.format(before="", status=0), tmp_path / "app.db").end()
    assert await keys(tmp_path / "app.db") == ["of the child", "of the parent"]


@FORKS
async def test_a_forked_process_has_separate_connections_to_a_server(child, postgres_url):
    await child(IN_A_FORK.format(before="jobs.enqueue('before')", status=0), postgres_url).end()
    assert await keys(postgres_url) == ["before", "of the child", "of the parent"]


@FORKS
async def test_a_forked_process_is_refused_a_file_that_its_parent_had_open(child, tmp_path):
    """The locks of the file belong to the parent: a second use of the copies could corrupt it."""
    await child(IN_A_FORK.format(before="jobs.enqueue('before')", status=1), tmp_path / "app.db").end()
    assert await keys(tmp_path / "app.db") == ["before", "of the parent"]


async def test_a_program_that_closes_nothing_ends_without_a_wait_or_a_warning(child, tmp_path):
    """Also with a thread that waits for a job: the interpreter would wait for that thread."""
    path = tmp_path / "app.db"
    program = child(
        """
    import contextlib, sys, threading
    from tetherpy.database import DatabaseClosedError
    from tetherpy.jobs import SyncJobManager, wait_observer

    def use_another_one():
        SyncJobManager.open(sys.argv[2]).enqueue("k")

    use_another_one()
    jobs = SyncJobManager.open(sys.argv[1])
    job_id = jobs.enqueue("k")
    waiting = threading.Event()

    @contextlib.contextmanager
    def waits(_):
        waiting.set()
        yield

    def wait():
        wait_observer.set(waits)
        try:
            jobs.wait_for(job_id)
        except DatabaseClosedError as error:
            print(error)

    threading.Thread(target=wait).start()
    assert waiting.wait(25)
    """,
        path,
        tmp_path / "other.db",
    )
    assert f"the database '{path}' is closed" in await program.end()
    assert not list(tmp_path.glob("*-wal"))  # the last connection that is closed deletes it


async def test_ctrl_c_in_a_transaction_rolls_back_and_frees_the_write_lock(child, tmp_path):
    program = child(
        """
    import signal, sqlite3, sys
    from tetherpy.jobs import SyncJobManager

    jobs = SyncJobManager.open(sys.argv[1])
    try:
        with jobs.database.transaction() as tx:
            jobs.enqueue("lost", transaction=tx)
            print("ready", flush=True)
            sys.stdin.readline()
    except KeyboardInterrupt:
        other = sqlite3.connect(sys.argv[1], timeout=0)
        other.execute("BEGIN IMMEDIATE")
        other.close()
        jobs.enqueue("after")
    """,
        tmp_path / "app.db",
    )
    assert await program.line() == "ready"
    program.process.send_signal(2)
    await program.end()
    assert await keys(tmp_path / "app.db") == ["after"]
