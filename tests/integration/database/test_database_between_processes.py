import asyncio
import os
import signal
import sqlite3

import pytest

from tetherpy.database import Database, DatabaseLockedError, Migration

WATCH = """
    import asyncio, sys
    from tetherpy.database import Database

    async def main():
        done = asyncio.Event()

        def show(rows):
            print([row["x"] for row in rows], flush=True)
            if rows and rows[-1]["x"] < 0:
                done.set()

        async with Database.open(sys.argv[1], safety_interval=None) as db:
            db.watch("SELECT x FROM t ORDER BY rowid", throttle=0).subscribe(show)
            await done.wait()

    asyncio.run(main())
"""

COMMIT = """
    import asyncio, sys
    from tetherpy.database import Database

    async def main():
        async with Database.open(sys.argv[1]) as db:
            print("open", flush=True)
            for line in iter(sys.stdin.readline, ""):
                await db.execute("INSERT INTO t VALUES (?)", (int(line),))
                print("committed", flush=True)
        assert "reactivex" not in sys.modules

    asyncio.run(main())
"""


@pytest.fixture
async def path(tmp_path):
    async with Database.open(tmp_path / "app.db") as db:
        await db.execute("CREATE TABLE t (x)")
    return tmp_path / "app.db"


async def test_a_subscriber_in_another_process_gets_each_commit(path, child):
    subscriber = child(WATCH, path)
    assert await subscriber.line() == "[]"
    async with Database.open(path) as db:
        for value in range(1, 6):
            await db.execute("INSERT INTO t VALUES (?)", (value,))
            assert await subscriber.line() == str(list(range(1, value + 1)))
        async with db.transaction() as tx:
            await tx.execute("DELETE FROM t")
            await tx.execute("INSERT INTO t VALUES (-1)")
    assert await subscriber.line() == "[-1]"
    await subscriber.end()


@pytest.mark.usefixtures("no_hidden_writer")
async def test_this_process_gets_commits_of_others(path, child):
    committer = child(COMMIT, path)
    assert await committer.line() == "open"
    heard = []
    changed = asyncio.Event()
    async with Database.open(path, safety_interval=None) as db:
        db.on_change(lambda tables: (heard.append(tables), changed.set()))
        await db._feed.caught_up()
        for value in range(5):
            changed.clear()
            committer.tell(str(value))
            await asyncio.wait_for(changed.wait(), 25)
            assert await committer.line() == "committed"
    assert set(heard) == {frozenset({"t"})}
    await committer.end()


async def test_the_interval_poll_finds_commits_without_a_signal(path):
    changed = asyncio.Event()
    async with Database.open(path, safety_interval=0.02) as db:
        db.on_change(lambda tables: changed.set() if "t" in tables else None)
        await db._feed.caught_up()
        stranger = sqlite3.connect(path, isolation_level=None)
        stranger.execute("INSERT INTO t VALUES (1)")
        await asyncio.wait_for(changed.wait(), 25)
        stranger.close()


async def test_a_process_killed_inside_a_transaction_leaves_no_changes(path, child):
    holder = child(
        """
        import asyncio, sys
        from tetherpy.database import Database

        async def main():
            async with Database.open(sys.argv[1]) as db, db.transaction() as tx:
                await tx.execute_many("INSERT INTO t VALUES (zeroblob(4096))", [()] * 2000)
                async with tx.transaction() as inner:
                    await inner.execute("INSERT INTO t VALUES (1)")
                    print("written", flush=True)
                    await asyncio.Event().wait()

        asyncio.run(main())
        """,
        path,
    )
    assert await holder.line() == "written"
    async with Database.open(path, busy_timeout=0.05) as db:
        with pytest.raises(DatabaseLockedError, match="another connection kept") as caught:
            await db.execute("INSERT INTO t VALUES (2)")
        assert caught.value.busy_timeout == 0.05
        holder.kill()
        await db.execute("INSERT INTO t VALUES (3)")
        assert [row["x"] for row in await db.get_all("SELECT x FROM t")] == [3]
        assert (await db.get("PRAGMA integrity_check"))[0] == "ok"


async def test_a_wait_for_another_process_ends_at_its_commit_or_when_cancelled(path):
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    async with Database.open(path, busy_timeout=60) as db:
        begun = asyncio.create_task(db.transaction().__aenter__())
        await asyncio.sleep(0.05)
        begun.cancel()
        await asyncio.wait_for(asyncio.wait([begun]), 25)
        assert begun.cancelled()
        waiting = asyncio.create_task(db.execute("INSERT INTO t VALUES (1)"))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        other.execute("COMMIT")
        await asyncio.wait_for(waiting, 25)
    other.close()


async def test_reads_continue_while_another_process_writes(path):
    async with Database.open(path) as db:
        await db.execute("INSERT INTO t VALUES (1)")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        other.execute("DELETE FROM t")
        assert len(await db.get_all("SELECT * FROM t")) == 1
        other.close()


OPEN = """
    import asyncio, sys
    from tetherpy.database import Database, Migration

    sql = "CREATE TABLE t{0} (x); INSERT INTO t{0} VALUES ({0})"
    steps = [Migration(n, f"step {n}", sql.format(n)) for n in range(1, 9)]

    async def main():
        for path in sys.argv[1:]:
            print("ready", flush=True)
            sys.stdin.readline()
            async with Database.open(path, migrations=steps) as db:
                print([(await db.get(f"SELECT count(*) FROM t{n}"))[0] for n in range(1, 9)], flush=True)

    asyncio.run(main())
"""


async def test_processes_may_open_a_database_at_the_same_time(tmp_path, child):
    paths = [tmp_path / f"{name}.db" for name in ("one", "two", "three")]
    openers = [child(OPEN, *paths) for _ in range(4)]
    for path in paths:
        for opener in openers:
            assert await opener.line() == "ready"
        for opener in openers:
            opener.tell("go")
        for opener in openers:
            assert await opener.line() == str([1] * 8)
        async with Database.open(path) as db:
            assert len(await db.get_all("SELECT * FROM tetherpy_migrations")) == 8
    for opener in openers:
        assert await opener.end() == ""


async def test_several_opens_in_one_loop_may_run_concurrently(tmp_path):
    steps = [Migration(n, f"step {n}", f"CREATE TABLE t{n} (x)") for n in range(1, 5)]

    async def open_and_close():
        async with Database.open(tmp_path / "new.db", migrations=steps) as db:
            return (await db.get("SELECT count(*) FROM tetherpy_migrations"))[0]

    assert await asyncio.gather(*(open_and_close() for _ in range(6))) == [4] * 6


async def test_concurrent_writes_of_many_processes_are_all_stored(path, child):
    writers = [
        child(
            """
            import asyncio, sys
            from tetherpy.database import Database

            async def main():
                async with Database.open(sys.argv[1]) as db:
                    insert = "INSERT INTO t VALUES (?)"
                    for n in range(100):
                        await asyncio.gather(*(db.execute(insert, (n,)) for _ in range(3)))

            asyncio.run(main())
            """,
            path,
        )
        for _ in range(3)
    ]
    for writer in writers:
        await writer.end()
    async with Database.open(path) as db:
        assert (await db.get("SELECT count(*) FROM t"))[0] == 900
        # Each commit of each process raised the counter exactly once.
        assert 300 <= (await db.get("SELECT version FROM tetherpy_changes WHERE table_name = 't'"))[0] <= 900


async def test_a_process_that_does_not_close_its_database_exits_with_a_warning(path, child):
    forgetful = child(
        """
        import asyncio, sys, warnings
        from tetherpy.database import Database

        async def main():
            db = await Database.open(sys.argv[1])
            db.on_change(print)
            holder = asyncio.create_task(hold(db))
            await db.execute("INSERT INTO t VALUES (1)")
            await asyncio.sleep(0)

        async def hold(db):
            async with db.transaction() as tx:
                await tx.execute("INSERT INTO t VALUES (2)")
                await asyncio.Event().wait()

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            asyncio.run(main())
        print([str(warning.message) for warning in caught if warning.category is ResourceWarning])
        """,
        path,
    )
    assert "was not closed" in await forgetful.end()
    async with Database.open(path) as db:
        assert [row["x"] for row in await db.get_all("SELECT x FROM t")] == [1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is POSIX's")
async def test_a_forked_child_cannot_commit_a_transaction_of_its_parent(path, child):
    forker = child(
        """
        import asyncio, os, sys
        from tetherpy.database import Database, WrongLoopError

        async def use(db):
            await db.execute("INSERT INTO t VALUES (3)")

        async def main():
            async with Database.open(sys.argv[1]) as db:
                async with db.transaction() as tx:
                    await tx.execute("INSERT INTO t VALUES (1)")
                    if (pid := os.fork()) == 0:
                        asyncio._set_running_loop(None)
                        try:
                            asyncio.run(use(db))
                        except WrongLoopError:
                            os._exit(7)
                        os._exit(1)
                    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)  # forking with threads is what is tried here
        asyncio.run(main())
        """,
        path,
    )
    assert await forker.end() == "7\n"
    async with Database.open(path) as db:
        assert [row["x"] for row in await db.get_all("SELECT x FROM t")] == [1]


@pytest.mark.usefixtures("no_hidden_writer")
async def test_a_commit_without_a_signal_is_found_with_its_tables(path, child):
    named = []
    changed = asyncio.Event()
    async with Database.open(path, safety_interval=0.02) as db:
        db.on_change(lambda tables: (named.append(tables), changed.set()))
        await db._feed.caught_up()
        dying = child(
            """
            import asyncio, os, signal, sys
            from tetherpy.database import Database
            from tetherpy.database.sqlite.changes.change_signal import ChangeSignal

            async def main():
                ChangeSignal.send = lambda change_signal: os.kill(os.getpid(), signal.SIGKILL)
                async with Database.open(sys.argv[1]) as db:
                    await db.execute("INSERT INTO t VALUES (1)")

            asyncio.run(main())
            """,
            path,
        )
        await asyncio.wait_for(changed.wait(), 25)
        assert named == [{"t"}]
        assert len(await db.get_all("SELECT * FROM t")) == 1
    assert await asyncio.to_thread(dying.process.wait, 20) == -signal.SIGKILL


@pytest.mark.parametrize("written", [1, 20, 300])
async def test_an_acknowledged_commit_survives_a_kill_at_any_time(path, child, written):
    writer = child(
        """
        import asyncio, itertools, sys
        from tetherpy.database import Database

        async def write(db, numbers, held):
            for n in numbers:
                if held:
                    async with db.transaction() as tx:
                        await tx.execute("INSERT INTO t VALUES (?)", (n,))
                        await tx.execute("INSERT INTO t VALUES (?)", (-n,))
                else:
                    both = "INSERT INTO t VALUES (?), (?)"
                    await db.execute(both, (n, -n))
                print(n, flush=True)

        async def main():
            numbers = itertools.count(1)
            async with Database.open(sys.argv[1]) as db:
                await asyncio.gather(*(write(db, numbers, task % 3 == 0) for task in range(12)))

        asyncio.run(main())
        """,
        path,
    )
    reported = [int(await writer.line()) for _ in range(written)]
    writer.kill()
    reported += [int(line) for line in writer.process.stdout.read().splitlines(keepends=True) if line[-1] == "\n"]
    async with Database.open(path) as db:
        kept = {row["x"] for row in await db.get_all("SELECT x FROM t")}
        assert set(reported) <= kept
        assert kept == {-value for value in kept}  # each transaction completely or not at all
        assert (await db.get("PRAGMA integrity_check"))[0] == "ok"
