import asyncio
import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

import pytest

from tetherpy.database import Database, DatabaseCorruptError, DatabaseLockedError, DiskFullError


@pytest.fixture
async def path(tmp_path):
    async with Database.open(tmp_path / "app.db") as db:
        await db.execute("CREATE TABLE t (x)")
        await db.execute("INSERT INTO t VALUES ('kept')")
    return tmp_path / "app.db"


FILL = """
    import asyncio, resource, sys
    from tetherpy.database import Database, DiskFullError

    async def main():
        async with Database.open(sys.argv[1]) as db:
            resource.setrlimit(resource.RLIMIT_FSIZE, (256 * 1024, resource.RLIM_INFINITY))
            insert = "INSERT INTO t VALUES (zeroblob(100000))"
            try:
                async with db.transaction() as tx:
                    for _ in range(100):
                        await tx.execute(insert)
            except DiskFullError as error:
                print(error)
            small = db.execute("INSERT INTO t VALUES ('small')")
            big = [db.execute("INSERT INTO t VALUES (zeroblob(10000000))") for _ in range(2)]
            results = await asyncio.gather(small, *big, return_exceptions=True)
            print([type(result).__name__ for result in results])
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            await db.execute(insert)
            print([row[0] for row in await db.get_all("SELECT typeof(x) FROM t")])
            print((await db.get("PRAGMA integrity_check"))[0])

    asyncio.run(main())
"""


async def test_a_full_disk_rolls_the_transaction_back_and_later_writes_succeed(path, child):
    lines = (await child(FILL, path).end()).splitlines()
    assert "rolled back" in lines[0]
    assert str(path) in lines[0]
    assert lines[1:] == [
        "['Executed', 'DiskFullError', 'DiskFullError']",
        "['text', 'text', 'blob']",
        "ok",
    ]


async def test_a_database_at_its_size_limit_raises_the_same_error(path):
    async with Database.open(path) as db:
        await db._writer.connection_thread.call(lambda connection: connection.control("PRAGMA max_page_count = 10"))
        with pytest.raises(DiskFullError, match="SQLITE_FULL"):
            await db.execute("INSERT INTO t VALUES (zeroblob(1000000))")
        assert len(await db.get_all("SELECT * FROM t")) == 1


@pytest.fixture
def open_folder():
    """Return a folder that another user can enter, unlike that of pytest."""
    folder = Path(tempfile.mkdtemp())
    yield folder
    folder.chmod(0o700)
    shutil.rmtree(folder)


def set_modes(path, file_mode, folder_mode):
    path.chmod(file_mode)
    path.parent.chmod(folder_mode)


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
@pytest.mark.parametrize("modes", [(0o444, 0o777), (0o666, 0o555)], ids=["file", "folder"])
async def test_a_read_only_database_is_an_error(open_folder, child, modes):
    path = open_folder / "app.db"
    async with Database.open(path) as db:
        await db.execute("CREATE TABLE t (x)")
    set_modes(path, *modes)
    output = await child(
        """
        import asyncio, os, sys
        from tetherpy.database import Database, DatabaseReadOnlyError

        async def main():
            if os.geteuid() == 0:
                os.setuid(65534)
            try:
                await Database.open(sys.argv[1])
            except DatabaseReadOnlyError as error:
                print(error.path)

        asyncio.run(main())
        """,
        path,
    ).end()
    assert output == f"{path}\n"


async def test_a_corrupt_file_is_an_error_and_is_not_written(path):
    async with Database.open(path) as db:
        await db.execute_many("INSERT INTO t VALUES (zeroblob(?))", [(3000,)] * 200)
    content = bytearray(path.read_bytes())
    content[4096 * 3 :] = b"\xff" * (len(content) - 4096 * 3)
    path.write_bytes(content)
    async with Database.open(path) as db:
        with pytest.raises(DatabaseCorruptError, match="SQLITE_CORRUPT") as caught:
            await db.get_all("SELECT * FROM t")
        assert caught.value.path == path
        with pytest.raises(DatabaseCorruptError):
            await db.execute("DELETE FROM t")
    assert path.read_bytes()[4096 * 3 :] == content[4096 * 3 :]


async def test_a_truncated_log_gives_a_prefix_of_the_commits(path, tmp_path):
    async with Database.open(path) as db:
        for n in range(50):
            await db.execute("INSERT INTO t VALUES (?)", (n,))
        torn = tmp_path / "torn"
        torn.mkdir()
        # A copy as after a power failure; made by another process, because close() would release locks of this one.
        await copy(path, torn)
        log = torn / "app.db-wal"
        os.truncate(log, log.stat().st_size * 2 // 3)
    async with Database.open(torn / "app.db") as db:
        rows = [row[0] for row in await db.get_all("SELECT x FROM t ORDER BY rowid")]
        assert rows == ["kept", *range(len(rows) - 1)]
        assert 1 < len(rows) < 51
        assert (await db.get("PRAGMA integrity_check"))[0] == "ok"


async def copy(path, folder):
    process = await asyncio.create_subprocess_exec("cp", path, f"{path}-wal", folder)
    assert await process.wait() == 0


async def test_a_file_locked_during_open_is_an_error_and_can_be_opened_later(tmp_path):
    other = sqlite3.connect(tmp_path / "app.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    other.execute("CREATE TABLE t (x)")
    with pytest.raises(DatabaseLockedError, match=r"0\.15 s"):
        await Database.open(tmp_path / "app.db", busy_timeout=0.15)
    opening = asyncio.ensure_future(opened(tmp_path / "app.db"))
    await asyncio.sleep(0.02)
    other.execute("COMMIT")
    other.close()
    assert await opening == []


async def opened(path):
    async with Database.open(path) as db:
        return await db.get_all("SELECT * FROM t")
