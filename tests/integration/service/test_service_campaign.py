"""A sample of the crash campaign."""

import importlib.util
import random
from pathlib import Path

_spec = importlib.util.spec_from_file_location("crash_campaign", Path(__file__).with_name("crash_campaign.py"))
crash_campaign = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(crash_campaign)


async def test_nothing_is_lost_stuck_or_done_twice(database_path):
    report = await crash_campaign.Campaign(database_path, 20, random.Random(7)).run()
    assert report.kills == 20
    assert not any(report.flaws().values()), report
