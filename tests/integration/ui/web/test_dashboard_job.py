"""The page of one job with many attempts."""

import json
import re

LARGEST_PAGE = 200_000


async def test_the_page_of_a_job_with_a_thousand_failed_attempts_is_small_and_reports_omitted_ones(serving):
    served = await serving()
    job_id = await served.manager.enqueue("k", delay=900)
    await served.manager.engine.db.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
        "INSERT INTO background_service_job_attempts "
        "(job_id, attempt, worker, started_at, finished_at, outcome, error, traceback, logs) "
        "SELECT ?, i, 'w', '2030-01-01T00:00:00.000000Z', '2030-01-01T00:00:01.000000Z', 'failed', "
        "'error ' || i || replace(hex(zeroblob(1000)), '00', '!'), replace(hex(zeroblob(12000)), '00', 'deep'), "
        "'log of ' || i || ? || replace(hex(zeroblob(10000)), '00', 'line') FROM n",
        (job_id, "<script>\x1b[2J"),
    )
    page = (await served.get(f"/jobs/{job_id}")).body
    sent = (await served.get(f"/live/jobs/{job_id}?once")).body
    for text in (page, json.loads(sent)["html"]["story"]):
        assert re.findall(r"<b>Attempt (\d+)</b>", text) == [str(n) for n in range(1000, 980, -1)]
        assert f"980 earlier attempts are not shown; <code>tetherpy jobs show {job_id} --json</code>" in text
        assert 'id="traceback-1000" open' in text
        assert 'id="log-1000" open' in text
        assert "log of 999&lt;script&gt;\\x1b[2J" in text
        assert len(text) < LARGEST_PAGE
    assert len(sent) < LARGEST_PAGE
