"""A sample of the crash campaign on PostgreSQL: two machines, whose server and connections are victims too."""

import asyncio
from random import SystemRandom

from tests import postgres_server
from tests.campaigns.crashing.campaign import Campaign
from tests.campaigns.crashing.processes import servers_of

KILLS = 12


def test_whoever_is_killed_the_server_included_every_job_ends_as_scripted(tmp_path):
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
    # Not their logs: the campaign also deletes the files of services.
    machines = {worker["machine"] for worker in campaign.traces.read("workers")}
    assert machines == {"machine-0", "machine-1"}
