"""A sample of the crash campaign on PostgreSQL: two machines; server and connections are killed too."""

import asyncio
from random import SystemRandom

import pytest

from tests import postgres_server
from tests.campaigns.crashing.campaign import Campaign
from tests.campaigns.crashing.processes import servers_of

KILLS = 12


@pytest.mark.long
def test_every_job_ends_as_scripted_after_kills_of_processes_and_server(tmp_path):
    server = postgres_server.start_own()
    try:
        campaign = Campaign(tmp_path, SystemRandom().randrange(1_000_000), KILLS, server)
        report = asyncio.run(campaign.run())
    finally:
        server.close()
    again = f"python -m tests.campaigns.crash --engine postgres --kills {KILLS} --seed {campaign.seed}"
    assert not report.complaints, "\n".join([again, *report.complaints])
    assert report.kills.total() >= KILLS
    assert report.acknowledged
    assert servers_of(campaign.traces).all == ()
    # Without their logs: the campaign also deletes files of services.
    machines = {worker["machine"] for worker in campaign.traces.read("workers")}
    assert machines == {"machine-0", "machine-1"}
