"""A sample of the crash campaign, its audit, and its behaviour as a program; ``make crash`` runs all of it."""

import asyncio
import os
import shutil
import signal
import sqlite3
import sys
from pathlib import Path
from random import SystemRandom

import pytest

from tests.campaigns.crashing.audit import audit
from tests.campaigns.crashing.campaign import Campaign
from tests.campaigns.crashing.processes import servers_of
from tests.campaigns.crashing.traces import Traces

ROOT = Path(__file__).parents[3]
KILLS = 15


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    return Campaign(tmp_path_factory.mktemp("crash"), SystemRandom().randrange(1_000_000), KILLS)


@pytest.fixture(scope="module")
def report(campaign):
    return asyncio.run(campaign.run())


def test_every_job_ends_as_scripted_and_every_row_is_explained_after_kills(campaign, report):
    again = f"make crash SEED={campaign.seed} KILLS={KILLS}"
    assert not report.complaints, "\n".join([again, *report.complaints])
    assert report.kills.total() >= KILLS
    assert report.outcomes["worker died"]
    assert report.acknowledged
    assert servers_of(campaign.traces).all == ()


COMPLETED_ONCE = "(SELECT id FROM background_service_jobs WHERE job_key = 'exactly_once' AND status = 'COMPLETED')"
ANY_COMPLETED = "(SELECT min(id) FROM background_service_jobs WHERE status = 'COMPLETED')"


@pytest.mark.usefixtures("report")
@pytest.mark.parametrize(
    ("lie", "complaint"),
    [
        (f"DELETE FROM background_service_jobs WHERE id = {ANY_COMPLETED}", "is not there"),
        (f"UPDATE background_service_jobs SET status = 'RUNNING' WHERE id = {ANY_COMPLETED}", "is RUNNING"),
        ("UPDATE background_service_jobs SET payload = '{}'", "was acknowledged as"),
        (f"UPDATE background_service_jobs SET claimed_by = 'w' WHERE id = {ANY_COMPLETED}", "still has a claim"),
        (f"UPDATE background_service_jobs SET result = '1' WHERE id = {ANY_COMPLETED}", "has the result 1"),
        ("DELETE FROM background_service_job_attempts WHERE outcome = 'worker died'", "its attempt rows are"),
        ("UPDATE background_service_job_attempts SET worker = 'w' WHERE outcome = 'completed'", "never began it"),
        ("UPDATE background_service_job_attempts SET worker = 'w'", "more often than its attempts explain"),
        (f"DELETE FROM effects WHERE job_id IN {COMPLETED_ONCE}", "has the effects"),
        (f"INSERT INTO effects SELECT NULL, id, 1, 'w', 1 FROM {COMPLETED_ONCE}", "no attempt explains"),
        ("DELETE FROM effects", "has only the effects"),
        ("INSERT INTO effects VALUES (NULL, 0, 1, 'w', 0)", "of job 0, which is not there"),
        ("DELETE FROM orders", "order"),
        ("INSERT INTO orders VALUES ('nobody')", "without its job"),
        ("UPDATE background_service_job_counts SET jobs = jobs + 1", "the counts table says"),
    ],
)
def test_the_audit_detects_a_false_row(campaign, tmp_path, lie, complaint):
    shutil.copytree(campaign.folder, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sock"))
    database = sqlite3.connect(tmp_path / "app.db")
    assert database.execute(lie).rowcount
    database.commit()
    database.close()
    complaints = audit(Traces(tmp_path), []).complaints
    assert any(complaint in found for found in complaints), complaints


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_an_interrupt_ends_the_campaign_and_leaves_no_process(tmp_path, number):
    campaign = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.campaigns.crash", "--kills", "100000", "--seed", "1",
        cwd=ROOT, env={**os.environ, "TMPDIR": str(tmp_path)}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(30):
        assert b"SEED=1" in await campaign.stdout.readline()
        (folder,) = tmp_path.iterdir()
        traces = Traces(folder)
        while True:
            if traces.count("kills"):
                break
            await asyncio.sleep(0.02)
        campaign.send_signal(number)
        printed = await campaign.stdout.read()
        assert await campaign.wait() == 130
    assert printed.decode().endswith(f"interrupted; everything killed; files left in {folder}\n")
    assert servers_of(traces).all == ()
