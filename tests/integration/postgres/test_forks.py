"""A process that forks while it has a server database open."""

import asyncio
import sys

SCRIPT = """
import asyncio, os, sys, traceback, warnings
from tetherpy.database import DatabaseForkedError, PostgresDatabase
warnings.simplefilter("ignore", DeprecationWarning)  # forking with threads is what is tried here

def in_child(db):
    asyncio._set_running_loop(None)

    async def begin():
        async with db.transaction():
            raise AssertionError("it has begun")

    for call in (lambda: db.execute("SELECT 1"), lambda: db.get("SELECT 1"), begin):
        try:
            asyncio.run(call())
        except DatabaseForkedError as error:
            assert "'spawn'" in str(error) and "secret" not in str(error), error
        else:
            raise AssertionError("it was not refused")
    asyncio.run(db.aclose())

async def main(url):
    async with PostgresDatabase.open(url) as db:
        print((await db.get("SELECT 1"))[0])
        if (pid := os.fork()) == 0:
            try:
                in_child(db)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        print((await db.get("SELECT 2"))[0])

asyncio.run(main(sys.argv[1]))
"""


async def test_a_forked_child_can_neither_use_nor_close_connections_of_its_parent(empty_tables_url):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SCRIPT, empty_tables_url, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(25):
        output, errors = await process.communicate()
    assert output.decode().split() == ["1", "0", "2"], errors.decode()
