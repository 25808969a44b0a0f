"""Pages that stay open: many at once, restored from the cache, hidden, paused, and outliving their server."""

import asyncio
import re
import signal

import pytest
from playwright.async_api import expect

from tests.browser.conftest import is_live
from tests.support.waiting import until
from tetherpy.jobs import Ack, Cancelled, Failed, NewJob, utc_now
from tetherpy.ui.web.refresh_rate import BURST, STEADY_REST

pytestmark = pytest.mark.asyncio(loop_scope="session")

WAITING = "nobody serves this"


async def add(shop, number=1):
    return await shop.manager.enqueue_many([NewJob(job_key=WAITING, delay=900) for _ in range(number)])


async def pending(shop):
    return str((await shop.manager.get_counts()).pending)


async def test_seven_tabs_of_one_browser_load_and_all_stay_up_to_date(shop, pages):
    context = await pages.context()
    tabs = [await pages.open(context=context) for _ in range(4)]
    for _ in range(4):
        page = await context.new_page()
        await page.goto(shop.url)
        # A page without a stream polls: a browser opens six connections per host.
        await page.locator("html[data-connection=polling]").wait_for(state="attached")
        tabs.append(page)
    await add(shop, 3)
    for tab in tabs:
        await expect(tab.locator("#count-pending")).to_have_text(await pending(shop))
    await tabs[0].close()
    await until(lambda: any_live(tabs[4:]))


async def any_live(tabs):
    return "live" in [await tab.locator("html").get_attribute("data-connection") for tab in tabs]


async def test_a_page_restored_from_the_back_forward_cache_is_live_again(shop, pages_that_are_kept):
    page = await pages_that_are_kept.open()
    await page.evaluate("window.kept = true; addEventListener('pageshow', (e) => { window.persisted = e.persisted })")
    await page.get_by_role("link", name="Service").first.click()
    await expect(page).to_have_url(f"{shop.url}service")
    await is_live(page)
    await add(shop)
    # page.go_back() would wait for a page load.
    await page.evaluate("history.back()")
    await expect(page).to_have_url(shop.url)
    await is_live(page)
    assert await page.evaluate("[window.kept, window.persisted]") == [True, True], "the data was loaded again"
    await expect(page.locator("#count-pending")).to_have_text(await pending(shop))
    await add(shop)
    await expect(page.locator("#count-pending")).to_have_text(await pending(shop))


async def test_a_hidden_page_has_no_connection_and_is_updated_when_it_is_shown(shop, visit):
    page = await visit()
    before = await page.locator("#count-pending").inner_text()
    await hide(page, True)
    await add(shop)
    await expect(page.locator("html")).to_have_attribute("data-connection", "waiting")
    assert await page.locator("#count-pending").inner_text() == before
    await hide(page, False)
    await is_live(page)
    await expect(page.locator("#count-pending")).to_have_text(await pending(shop))


async def hide(page, hidden):
    """Set the page to hidden, like a tab in the background; headless browsers show all tabs at once."""
    await page.evaluate(
        "(hidden) => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
    )


async def test_live_updates_can_be_paused(shop, visit):
    page = await visit()
    await page.get_by_role("button", name="Live").click()
    before = await page.locator("#count-pending").inner_text()
    await add(shop)
    await expect(page.get_by_role("button", name="Paused")).to_have_attribute("aria-pressed", "true")
    assert await page.locator("#count-pending").inner_text() == before
    await page.get_by_role("button", name="Paused").click()
    await expect(page.locator("#count-pending")).to_have_text(await pending(shop))


async def test_a_page_whose_server_has_stopped_reports_it(shop, pages, visit):
    page = await visit()
    await shop.end_server(signal.SIGKILL)
    await expect(page.get_by_text("Connection lost. Reconnecting.")).to_be_visible()
    await expect(page.locator("html")).to_have_attribute("data-connection", "lost")
    await add(shop)
    await shop.serve(port=shop.port)
    await expect(page.get_by_text("Server restarted. The page is up to date.")).to_be_visible()
    await expect(page.locator("#count-pending")).to_have_text(await pending(shop))
    assert all(re.search("ERR_|Failed to load", text) for text in pages.complaints)
    pages.complaints.clear()


async def test_focus_and_open_sections_survive_updates(shop, visit):
    engine = shop.manager.engine
    (job_id,) = await engine.enqueue([NewJob(job_key=WAITING, queue="here", max_attempts=9)])
    page = await visit(f"jobs/{job_id}")
    await end(engine, await begin(engine))
    await expect(page.locator("#traceback-1")).to_have_attribute("open", "")
    await page.locator("#traceback-1 summary").focus()
    claim = await begin(engine)
    await expect(page.locator("#attempt-2")).to_contain_text("running")
    await expect(page.locator("#traceback-1")).to_have_attribute("open", "")
    await end(engine, claim)
    await expect(page.locator("#traceback-2")).to_have_attribute("open", "")
    await expect(page.locator("#traceback-1")).to_have_attribute("open", "")
    await expect(page.locator("#traceback-1 summary")).to_be_focused()
    table = await visit()
    link = table.locator(f"#open-{job_id}")
    await link.focus()
    await shop.manager.cancel_job(job_id)
    await expect(table.locator(f"#job-{job_id} .status")).to_have_text("Cancelled")
    await expect(link).to_be_focused()


async def begin(engine):
    (claim,) = (await engine.ack_and_fetch("w1", [], 1, ["here"])).claims
    return claim


async def end(engine, claim):
    await engine.ack_and_fetch("w1", [Ack(claim, Failed("no", "deep", retry_at=utc_now()))], 0)


async def test_the_focus_stays_on_the_button_that_replaces_another(shop, visit):
    engine = shop.manager.engine
    (job_id,) = await engine.enqueue([NewJob(job_key=WAITING, queue="there")])
    (claim,) = (await engine.ack_and_fetch("w1", [], 1, ["there"])).claims
    page = await visit(f"jobs/{job_id}")
    await page.get_by_role("button", name=f"Cancel job {job_id}").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator(f"#cancel-{job_id}")).to_have_attribute("aria-disabled", "true")
    await expect(page.locator(f"#cancel-{job_id}")).to_be_focused()
    await engine.ack_and_fetch("w1", [Ack(claim, Cancelled("asked"))], 0)
    await expect(page.locator(f"#retry-{job_id}")).to_be_focused()


async def test_the_focus_moves_to_the_same_button_of_the_next_row_when_its_row_is_removed(shop, visit):
    older, newer = await add(shop, 2)
    page = await visit()
    await page.locator(f"#delete-{newer}").focus()
    await shop.manager.delete_job(newer)
    await expect(page.locator(f"#job-{newer}")).to_have_count(0)
    await expect(page.locator(f"#delete-{older}")).to_be_focused()


async def test_a_stream_of_changes_is_sent_in_fewer_messages_than_changes(shop, visit):
    page = await visit()
    await page.evaluate(
        "window.changes = 0;"
        "new MutationObserver(() => { window.changes += 1 })"
        ".observe(document.getElementById('count-pending'), { childList: true, subtree: true, characterData: true })"
    )
    begun = asyncio.get_running_loop().time()
    for _ in range(300):
        await add(shop)
    await expect(page.locator("#count-pending")).to_have_text(await pending(shop))
    took = asyncio.get_running_loop().time() - begun
    # The burst, and the rate multiplied by the elapsed time, which depends on the machine.
    assert 1 <= await page.evaluate("window.changes") <= 2 * BURST + took / STEADY_REST


async def test_a_hundred_thousand_jobs_are_paginated_filtered_and_updated(shop, visit):
    for _ in range(10):
        await shop.manager.enqueue_many([NewJob(job_key=f"bulk {n % 5}", queue="bulk") for n in range(10_000)])
    page = await visit()
    await expect(page.locator("#rows tr")).to_have_count(50)
    await expect(page.locator("#count-pending")).to_contain_text("100")
    (newest,) = await add(shop)
    await expect(page.locator("#rows tr").first).to_have_attribute("id", f"job-{newest}")
    deep = await visit("?page=2000")
    await expect(deep.locator("#rows tr")).to_have_count(50)
    found = await visit(f"?text={WAITING}&order=oldest")
    await expect(found.locator("#rows tr").first).to_contain_text(WAITING)
