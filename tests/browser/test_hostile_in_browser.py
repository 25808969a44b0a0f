"""Jobs with an attack in every field: they are displayed as text, and no script of them runs."""

from urllib.parse import quote

import pytest
from playwright.async_api import expect

from tests.browser.conftest import is_live
from tetherpy.jobs import Ack, Failed, NewJob, Progress, SqliteJobEngine, WorkerRecord, utc_now
from tetherpy.safe_text import plain

pytestmark = pytest.mark.asyncio(loop_scope="session")

ATTACKS = (
    "<script>window.attacked = 1</script>",
    '"><img src=x onerror="window.attacked = 1">',
    "</textarea></pre></title><svg onload=window.attacked=1>",
    "'-alert(1)-'{{ 7 * 7 }}{% raw %}",
    "javascript:window.attacked=1",
    "\x1b]8;;http://evil.example\x07\u202eattack\u2066",
)


async def hostile_job(shop, attack):
    """Store a job with an attack in key, payload, queue, unique key, worker, progress, error and traceback."""
    engine = SqliteJobEngine(shop.manager.engine.db)
    now = utc_now()
    await engine.register_worker(
        WorkerRecord(
            id=attack,
            pid=1,
            host=attack,
            started_at=now,
            heartbeat_at=now,
            notification_title=attack,
            notification_content=attack,
        )
    )
    (job_id,) = await engine.enqueue(
        [NewJob(job_key=attack, payload={attack: attack}, queue=attack, unique_key=attack, max_attempts=9)]
    )
    (claim,) = (await engine.ack_and_fetch(attack, [], 1, [attack])).claims
    await engine.report_progress([Progress(claim, 0.5, attack)])
    later = now.replace(year=now.year + 1)
    await engine.ack_and_fetch(attack, [Ack(claim, Failed(attack, attack, retry_at=later))], 0)
    return job_id


async def test_all_texts_of_a_job_are_displayed_as_text(shop, pages):
    page = await pages.open()
    jobs = {await hostile_job(shop, attack): attack for attack in ATTACKS}
    dialogs = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    for job_id in jobs:
        await expect(page.locator(f"#job-{job_id}")).to_be_visible()
    for address in ("service", "?status=pending"):
        text = await harmless(page, shop.url + address)
        for attack in ATTACKS:
            assert plain(attack)[:20] in text
    for job_id, attack in jobs.items():
        assert plain(attack)[:20] in await harmless(page, f"{shop.url}jobs/{job_id}")
    for attack in ("".join(ATTACKS), ATTACKS[1]):
        parameters = "&".join(
            f"{name}={quote(attack)}" for name in ("text", "key", "queue", "status", "window", "page")
        )
        await harmless(page, f"{shop.url}?{parameters}")
        await harmless(page, f"{shop.url}enqueue?key={quote(attack)}&payload={quote(attack)}")
    assert dialogs == []


async def harmless(page, address):
    """Return the text of a page, and check that no attack became an element or a script."""
    await page.goto(address)
    await is_live(page)
    await expect(page.locator("main .loading")).to_have_count(0)
    assert await page.evaluate("window.attacked") is None
    assert await page.locator("main img, main script, main iframe, [onerror], [onload]").count() == 0
    text = await page.locator("main").inner_text()
    assert "\x1b" not in text
    assert "\u202e" not in text
    return text
