"""A process that forks while it has databases open."""

import os

import pytest

from tetherpy.database import Database

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is POSIX's")

IN_A_CHILD = """
    import asyncio, os, selectors, sys, traceback, warnings
    from tetherpy.database import Database, DatabaseForkedError, applied_migrations, read_only
    warnings.simplefilter("ignore", DeprecationWarning)  # forking with threads is what is tried here

    def in_child(work, status=0):
        if (pid := os.fork()) == 0:
            asyncio._set_running_loop(None)
            try:
                work()
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(status)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    async def use(path):
        async with Database.open(path) as db:
            await db.execute("INSERT INTO t VALUES (100)")

    def refused(work):
        try:
            work()
        except DatabaseForkedError as error:
            assert "'spawn'" in str(error) and str(error.path) in str(error), error
        else:
            raise AssertionError("it was not refused")
"""


@pytest.fixture
async def path(tmp_path):
    async with Database.open(tmp_path / "app.db") as db:
        await db.execute("CREATE TABLE t (x)")
    return tmp_path / "app.db"


@pytest.mark.parametrize("inside", ["the app", "a transaction", "a function on the writer's thread"])
async def test_a_forked_child_cannot_open_a_database_of_its_parent_by_any_path(path, tmp_path, child, inside):
    (tmp_path / "symbolic.db").symlink_to(path)
    (tmp_path / "hard.db").hardlink_to(path)
    forker = child(
        IN_A_CHILD
        + """
    def be_refused(path):
        for name in (path, "symbolic.db", "hard.db"):
            refused(lambda: asyncio.run(use(name)))
            refused(lambda: applied_migrations(name))
            refused(lambda: read_only(__import__("pathlib").Path(name)).__enter__())
        asyncio.run(make("child.db"))  # another file is the child's to use
        asyncio.run(use("closed.db"))  # so is one that was closed before the fork

    async def make(path):
        async with Database.open(path) as db:
            await db.execute("CREATE TABLE t (x)")

    async def main(path, inside):
        os.chdir(os.path.dirname(path))
        await make("closed.db")
        async with Database.open(path) as db:
            await db.execute("INSERT INTO t VALUES (1)")
            match inside:
                case "the app":
                    print(in_child(lambda: be_refused(path)))
                case "a transaction":
                    async with db.transaction() as tx:
                        await tx.execute("INSERT INTO t VALUES (2)")
                        print(in_child(lambda: be_refused(path)))
                case _:
                    print(await db.run(lambda _: in_child(lambda: be_refused(path))))
            await db.execute("INSERT INTO t VALUES (3)")

    asyncio.run(main(*sys.argv[1:]))
    """,
        path,
        inside,
    )
    assert await forker.end() == "0\n"
    async with Database.open(path) as db:
        rows = [row["x"] for row in await db.get_all("SELECT x FROM t")]
        assert rows == ([1, 2, 3] if inside == "a transaction" else [1, 3])


async def test_a_forked_child_can_neither_use_nor_close_inherited_databases(path, child):
    forker = child(
        IN_A_CHILD
        + """
    def misuse(db, tx):
        calls = [
            lambda: db.execute("INSERT INTO t VALUES (9)"), lambda: db.get_all("SELECT * FROM t"),
            lambda: db.read(len), lambda: tx.execute("INSERT INTO t VALUES (9)"),
        ]
        for call in calls:
            refused(lambda: asyncio.run(call()))
        refused(db.transaction)
        refused(lambda: db.on_change(print))
        asyncio.run(db.aclose())

    async def end_as_any_program(db):
        async with db.transaction() as tx:
            await tx.execute(
                "WITH n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 5000) INSERT INTO t SELECT x FROM n"
            )
            print(in_child(lambda: misuse(db, tx)), flush=True)  # before the fork copies what is buffered
            if (pid := os.fork()) == 0:
                sys.exit(7)  # through every frame, with all that Python and asyncio clear at the end
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    async def main(path):
        async with Database.open(path) as db:
            print(await end_as_any_program(db))
            rows = await db.get("SELECT count(*), sum(x) FROM t")
            print(*rows, (await db.get("PRAGMA integrity_check"))[0])

    # What epoll is told by a child that closes its copy of the loop counts for the parent too.
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.PollSelector())) as runner:
        runner.run(main(sys.argv[1]))
    """,
        path,
    )
    assert await forker.end() == f"0\n7\n5000 {5000 * 5001 // 2} ok\n"
    async with Database.open(path) as db:
        assert (await db.get("SELECT count(*) FROM t"))[0] == 5000
