"""Log records of statements contain no values."""

import asyncio
import sys

import pytest

SCRIPT = """
import asyncio, logging, sys
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
if sys.argv[2] == "asked":
    logging.getLogger("aiosqlite").setLevel(logging.DEBUG)
from tetherpy.jobs import BackgroundJobManager, JobQuery, open_database

async def main():
    async with open_database(sys.argv[1]) as db:
        manager = BackgroundJobManager(db)
        job_id = await manager.enqueue("mail", {"password": "swordfish"})
        await manager.find_jobs(JobQuery(text="swordfish"))
        await db.execute("SELECT ?", ("swordfish",))
        await manager.cancel_job(job_id)

asyncio.run(main())
logging.debug("the end")
"""


@pytest.mark.parametrize(("asked", "logged"), [("not", False), ("asked", True)])
async def test_a_debug_root_logger_gets_no_values(tmp_path, asked, logged):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SCRIPT, tmp_path / "app.db", asked, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(25):
        output, _ = await process.communicate()
    assert process.returncode == 0
    assert "the end" in output.decode()
    assert ("swordfish" in output.decode()) is logged
