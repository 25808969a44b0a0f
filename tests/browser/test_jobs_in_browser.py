"""Actions on jobs in a real browser."""

import re

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import is_live
from tetherpy.jobs import BackgroundJobStatus, NewJob

pytestmark = pytest.mark.asyncio(loop_scope="session")

WAITING = "nobody serves this"


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def quiet(shop):
    """Start without jobs, and with workers only where a test starts them."""
    for status in BackgroundJobStatus:
        if status is not BackgroundJobStatus.RUNNING:
            await shop.manager.delete_jobs_by_status(status)


async def working(shop):
    await shop.service.start()


def gate(shop, tmp_path, *percents):
    for percent in percents:
        (tmp_path / str(percent)).touch()
    return {"folder": str(tmp_path)}


async def drawn(page):
    """Wait until a page is loaded without scripts; reload it if the jobs were not ready in time."""
    await page.locator("main").wait_for()
    while await page.locator("main .loading").count():
        await page.reload()


async def test_a_job_is_enqueued_with_a_form_derived_from_its_payload_type(shop, visit):
    await working(shop)
    page = await visit("enqueue")
    # Until the manifest of the workers arrives, the form has a text field for the key.
    await page.locator("select#job_key").wait_for()
    await page.get_by_label("Handler").select_option("import_catalogue")
    await expect(page.get_by_text("Import the articles of a supplier.")).to_be_visible()
    await page.get_by_label("source").fill("acme <b>")
    await page.get_by_label("rows").fill("7")
    await page.get_by_label("format").select_option("json")
    await page.get_by_label("dry_run").check()
    await page.get_by_text("Options").click()
    await page.get_by_label("Priority").fill("5")
    await page.get_by_role("button", name="Enqueue").click()
    await page.get_by_role("link", name="Open").click()
    await expect(page.locator("#story .status")).to_have_text("Completed")
    await expect(page.locator("#result")).to_contain_text('"rows": 7')
    (job,) = await shop.manager.get_all_jobs()
    assert job.payload == {"source": "acme <b>", "rows": 7, "format": "json", "dry_run": True}
    assert (job.priority, job.result["note"]) == (5, None)


async def test_an_invalid_field_shows_its_error_and_nothing_is_enqueued(shop, visit):
    page = await visit("enqueue?key=whatever")
    await page.get_by_label("Payload", exact=True).fill("{not json")
    await page.get_by_role("button", name="Enqueue").click()
    await expect(page.get_by_role("alert")).to_contain_text("Invalid JSON")
    await expect(page.get_by_label("Payload", exact=True)).to_have_attribute("aria-invalid", "true")
    await page.get_by_label("Payload", exact=True).fill('{"a": 1}')
    await page.get_by_role("button", name="Enqueue").click()
    await expect(page.get_by_text(re.compile(r"Job \d+ enqueued"))).to_be_visible()
    (job,) = await shop.manager.get_all_jobs()
    assert job.payload == {"a": 1}


async def test_progress_is_updated_on_an_open_page_in_the_table_and_in_the_job(shop, visit, tmp_path):
    await working(shop)
    table = await visit()
    await table.evaluate("window.notReloaded = true")
    job_id = await shop.manager.enqueue("gated", gate(shop, tmp_path))
    row = table.locator(f"#job-{job_id}")
    await expect(row.get_by_role("progressbar")).to_have_attribute("value", "10.0")
    detail = await visit(f"jobs/{job_id}")
    await expect(detail.locator(".progress-text")).to_contain_text("at 10 percent")
    gate(shop, tmp_path, 10)
    await expect(row.locator(".progress-text")).to_have_text("40 % at 40 percent")
    await expect(detail.get_by_role("progressbar")).to_have_attribute("value", "40.0")
    gate(shop, tmp_path, 40, 70)
    await expect(row.locator(".status")).to_have_text("Completed")
    await expect(detail.locator("#result")).to_have_text('"through"')
    assert await table.evaluate("window.notReloaded")


async def test_a_failed_job_shows_its_error_and_traceback_and_can_be_retried(shop, visit):
    await working(shop)
    job_id = await shop.manager.enqueue("charge_card", {"article": "a vase"})
    await shop.manager.wait_for(job_id, 25)
    page = await visit("?status=failed")
    row = page.locator(f"#job-{job_id}")
    await expect(row.locator(".error-line")).to_have_text("DoNotRetry: refused: a vase is out of stock")
    await row.get_by_role("link").click()
    await expect(page.locator("#last-error")).to_contain_text("a vase is out of stock")
    await expect(page.locator("#traceback-1 pre")).to_contain_text("in take_from_stock")
    await page.get_by_role("button", name=f"Retry job {job_id}").click()
    await expect(page.get_by_text(f"Job {job_id} queued for retry.")).to_be_visible()
    await expect(page.locator("#traceback-2 pre")).to_contain_text("in take_from_stock")
    await expect(page.locator(".timeline .attempt-failed")).to_have_count(2)


async def test_without_scripts_a_job_is_retried_and_is_deleted_after_a_confirmation(shop, pages):
    again, gone = await shop.manager.enqueue_many([NewJob(job_key=WAITING, delay=900) for _ in range(2)])
    await shop.manager.cancel_job(again)
    page = await (await pages.context(java_script_enabled=False)).new_page()
    await page.goto(f"{shop.url}jobs/{again}")
    await drawn(page)
    await expect(page.get_by_text("Live", exact=True)).to_be_hidden()
    await page.get_by_role("button", name=f"Retry job {again}").click()
    await expect(page.get_by_text(f"Job {again} queued for retry.")).to_be_visible()
    await expect(page).to_have_url(f"{shop.url}jobs/{again}")
    await page.goto(f"{shop.url}?order=oldest")
    await drawn(page)
    await page.get_by_role("button", name=f"Delete job {gone}").click()
    await expect(page.get_by_role("heading")).to_contain_text(f"Delete job {gone} and its attempts?")
    await page.get_by_role("link", name="No").click()
    await expect(page).to_have_url(f"{shop.url}?order=oldest")
    await drawn(page)
    await page.get_by_role("button", name=f"Delete job {gone}").click()
    await expect(page.get_by_role("heading")).to_contain_text(f"Delete job {gone} and its attempts?")
    assert await shop.manager.get_job_by_id(gone) is not None
    await page.get_by_role("button", name="Delete").click()
    await expect(page.get_by_text(re.compile(r"Job \d+ deleted\."))).to_be_visible()
    await expect(page).to_have_url(f"{shop.url}?order=oldest")
    assert await shop.manager.get_job_by_id(gone) is None


async def test_a_click_before_the_scripts_have_loaded_redirects_back_with_a_flash_message(shop, pages):
    job_id = await shop.manager.enqueue(WAITING, delay=900)
    page = await (await pages.context()).new_page()
    await page.clock.install(time=0)
    await page.clock.pause_at(1)  # flash messages stay until this test removes them
    await page.route("**/main.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    await page.goto(f"{shop.url}jobs/{job_id}")
    await drawn(page)
    await page.unroute("**/main.js")
    await page.get_by_role("button", name=f"Cancel job {job_id}").click()
    await expect(page).to_have_url(f"{shop.url}jobs/{job_id}")
    await is_live(page)
    note = page.locator(".toast")
    await expect(note).to_contain_text("Cancellation requested for")
    await note.get_by_role("button", name="Close").click()
    await expect(note).to_have_count(0)


async def test_an_action_is_applied_although_its_row_has_left_the_page(shop, visit):
    job_id = await shop.manager.enqueue(WAITING, delay=900)
    page = await visit()
    await page.get_by_role("button", name=f"Delete job {job_id}").click()
    await shop.manager.enqueue_many([NewJob(job_key=WAITING, delay=900) for _ in range(50)])
    await expect(page.locator(f"#job-{job_id}")).to_have_count(0)
    await page.get_by_role("button", name="Delete", exact=True).click()
    await expect(page.get_by_text(re.compile(r"Job \d+ deleted\."))).to_be_visible()
    assert (await shop.manager.get_counts()).pending == 50


async def test_a_double_click_enqueues_one_job(shop, visit):
    page = await visit("enqueue?key=whatever")
    # As slow as a user: the second click comes after the first response.
    await page.get_by_role("button", name="Enqueue").dblclick(delay=200)
    await expect(page.get_by_text(re.compile(r"Job \d+ enqueued"))).to_be_visible()
    await expect(page.locator("#enqueue-submit[aria-busy]")).to_have_count(0)
    assert len(await shop.manager.get_jobs_by_job_key("whatever")) == 1


async def test_a_running_job_is_cancelled(shop, visit, tmp_path):
    await working(shop)
    job_id = await shop.manager.enqueue("gated", gate(shop, tmp_path))
    page = await visit()
    row = page.locator(f"#job-{job_id}")
    await expect(row.locator(".status")).to_have_text("Running")
    await row.get_by_role("button", name=f"Cancel job {job_id}").click()
    await expect(row.locator(".status")).to_have_text("Cancelled")
    assert (await shop.manager.get_job_by_id(job_id)).status is BackgroundJobStatus.CANCELLED


async def test_selected_jobs_are_deleted_after_a_confirmation(shop, visit):
    ids = await shop.manager.enqueue_many([NewJob(job_key=WAITING, delay=900) for _ in range(4)])
    page = await visit()
    for job_id in ids[:3]:
        await page.get_by_label(f"Select job {job_id}", exact=True).check()
    await expect(page.locator("#bulk-count")).to_have_text("3 selected")
    await page.get_by_role("button", name=f"Cancel job {ids[3]}").click()
    await expect(page.get_by_text("Cancellation requested for")).to_be_visible()
    await expect(page.locator("#bulk-count")).to_have_text("3 selected")
    await page.locator("#bulk").get_by_role("button", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="No").click()
    assert (await shop.manager.get_counts()).total == 4
    await page.locator("#bulk").get_by_role("button", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(page.get_by_text("3 jobs deleted.")).to_be_visible()
    await expect(page.locator("#rows tr")).to_have_count(1)
    assert [job.id for job in await shop.manager.get_all_jobs()] == ids[3:]


async def test_a_selection_survives_rows_that_leave_the_page(shop, visit):
    (first,) = await shop.manager.enqueue_many([NewJob(job_key=WAITING, delay=900)])
    page = await visit()
    await page.get_by_label(f"Select job {first}", exact=True).check()
    await shop.manager.enqueue_many([NewJob(job_key=WAITING, delay=900) for _ in range(60)])
    await expect(page.get_by_label(f"Select job {first}", exact=True)).to_have_count(0)
    await expect(page.locator("#bulk-count")).to_have_text("1 selected")
    await page.locator("#bulk").get_by_role("button", name="Cancel").click()
    await expect(page.get_by_text("Cancellation requested for")).to_be_visible()
    assert (await shop.manager.get_job_by_id(first)).status is BackgroundJobStatus.CANCELLED


async def test_an_action_can_be_applied_to_all_jobs_that_match_a_filter(shop, visit):
    await shop.manager.enqueue_many([NewJob(job_key=WAITING, delay=900) for _ in range(620)])
    kept = await shop.manager.enqueue("kept", delay=900)
    page = await visit(f"?status=pending&key={WAITING}")
    await page.get_by_role("button", name="Cancel all pending").click()
    await page.get_by_role("dialog").get_by_role("button", name="Cancel all").click()
    await expect(page.get_by_text("Cancellation requested for 620 jobs.")).to_be_visible()
    assert (await shop.manager.get_counts()).cancelled == 620
    assert (await shop.manager.get_job_by_id(kept)).status is BackgroundJobStatus.PENDING


async def test_jobs_can_be_searched_filtered_and_paginated(shop, visit):
    await shop.manager.enqueue_many([NewJob(job_key=WAITING, delay=900) for _ in range(70)])
    wanted = await shop.manager.enqueue("other", {"customer": "Åse & Co"}, queue="mail", delay=900)
    page = await visit()
    await expect(page.locator("#rows tr")).to_have_count(50)
    await page.get_by_role("link", name="Next", exact=True).click()
    await expect(page.locator("#rows tr")).to_have_count(21)
    await page.get_by_label("Search").fill("Åse & Co")
    await page.get_by_role("button", name="Filter").click()
    await expect(page.locator("#rows tr")).to_have_count(1)
    await expect(page.locator(f"#job-{wanted}")).to_be_visible()
    await is_live(page)
    await page.get_by_label("Status").select_option("failed")
    await expect(page.get_by_text("No jobs match these filters.")).to_be_visible()
    await page.get_by_label("Search").fill(f"#{wanted}")
    await page.get_by_label("Search").press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("other")


async def test_the_service_can_be_started_and_stopped_and_shows_its_notification(shop, visit):
    await shop.end_workers()
    page = await visit("service")
    await expect(page.locator("#service-state")).to_have_text("Stopped")
    await page.get_by_role("button", name="Start").click()
    await expect(page.locator("#service-state")).to_have_text("Running")
    await expect(page.locator("#workers tbody tr")).to_have_count(1)
    await expect(page.locator("#plan tbody tr")).to_have_count(2)
    await expect(page.locator("#plan")).to_contain_text("0 3 * * * Europe/Berlin")
    await shop.manager.enqueue("import_catalogue", {"source": "acme", "rows": 9})
    await expect(page.locator("#notification-title")).to_have_text("Importing")
    await expect(page.locator("#notification-content")).to_have_text("9 rows of acme")
    await expect(page.locator("#badge")).to_contain_text("1 worker")
    await page.get_by_role("button", name="Stop").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Stop the workers? Running jobs have 30 seconds to finish")
    await page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    await expect(page.get_by_text("Workers stopped.")).to_be_visible()
    await expect(page.locator("#service-state")).to_have_text("Stopped")
    assert not await shop.service.is_running()


async def test_the_title_of_the_page_contains_the_counts(shop, visit):
    page = await visit()
    await expect(page).to_have_title("Background jobs")
    await shop.manager.enqueue_many([NewJob(job_key=WAITING, delay=900) for _ in range(12)])
    await expect(page).to_have_title("0 running · 12 pending - Background jobs")
    await expect(page.locator("#count-pending")).to_have_text("12")
