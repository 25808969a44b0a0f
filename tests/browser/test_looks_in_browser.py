"""Appearance and accessibility: themes, sizes, keyboard, and axe-core."""

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from tetherpy.jobs import NewJob

pytestmark = pytest.mark.asyncio(loop_scope="session")

ADDRESSES = ("", "jobs/1", "jobs/99", "service", "enqueue", "enqueue?key=import_catalogue", "?status=failed")
EXAMINED = ("", "jobs/1", "service", "enqueue?key=import_catalogue")
WIDTHS = (360, 768, 1280, 2560)
SERIOUS = ("serious", "critical")


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def jobs(shop):
    """Create a job in each state, one with a long name and one with a long error."""
    await shop.service.start()
    manager = shop.manager
    failed = await manager.enqueue("charge_card", {"article": "lamp" * 200})
    done = await manager.enqueue("import_catalogue", {"source": "acme"})
    await manager.wait_for(failed, 25)
    await manager.wait_for(done, 25)
    await manager.enqueue_many([NewJob(job_key="a_very_long_name_of_a_handler" * 4, delay=900, unique_key="u" * 200)])
    await manager.cancel_job(await manager.enqueue("later", delay=900))
    await manager.enqueue("gated", {"folder": "/nowhere"})


async def test_no_width_needs_horizontal_scrolling(pages):
    context = await pages.context()
    page = await pages.open(context=context)
    for address in ADDRESSES:
        await page.goto(pages.shop.url + address)
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 800})
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{address or 'jobs'} is {wide} wide at {width}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_no_serious_problem_in_either_theme(pages, scheme):
    context = await pages.context(color_scheme=scheme)
    page = await pages.open(context=context)
    for address in EXAMINED:
        await page.goto(pages.shop.url + address)
        await page.locator("html[data-connection]").wait_for(state="attached")
        results = await Axe().run(page, options={"resultTypes": ["violations"]})
        violations = [found for found in results.response["violations"] if found["impact"] in SERIOUS]
        told = [f"{found['id']}: {found['nodes'][0]['html']}" for found in violations]
        assert told == [], address or "jobs"


async def test_the_theme_follows_the_system_until_it_is_selected_and_then_stays(pages):
    context = await pages.context(color_scheme="light")
    page = await pages.open(context=context)
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = await page.evaluate(ground)
    await page.emulate_media(color_scheme="dark")
    dark = await page.evaluate(ground)
    assert light != dark
    await page.get_by_role("button", name="Switch between light and dark").click()
    assert await page.evaluate(ground) == light
    await page.reload()
    assert await page.evaluate(ground) == light


async def test_all_actions_are_possible_with_the_keyboard(pages):
    page = await pages.open()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_be_focused()
    await page.locator("#filter-text").focus()
    await page.keyboard.type("lamp")
    await page.keyboard.press("Enter")
    await expect(page.locator("#rows tr")).to_have_count(1)
    await page.get_by_label("Select job 1", exact=True).focus()
    await page.keyboard.press("Space")
    await expect(page.locator("#bulk-count")).to_have_text("1 selected")
    await page.locator("#bulk").get_by_role("button", name="Delete").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog").get_by_role("button", name="No")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.locator("#rows tr")).to_have_count(1)
