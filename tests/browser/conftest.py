"""One browser for all tests, and one server for those of a module. Each test has a separate page without errors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import pytest_asyncio

from tests.browser import chromium
from tests.browser.shop import Shop, open_shop

playwright_api = pytest.importorskip("playwright.async_api", reason="the browser tests need playwright")
Page = Any

BOUND_MILLISECONDS = 30_000
playwright_api.expect.set_options(timeout=BOUND_MILLISECONDS)


@attrs.define
class Pages:
    """Opens pages, and collects their errors: of scripts, of the content security policy, and of the server."""

    browser: Any
    shop: Shop
    complaints: list[str] = attrs.Factory(list[str])
    contexts: list[Any] = attrs.Factory(list[Any])

    async def context(self, **options: Any) -> Any:
        context = await self.browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        context.set_default_timeout(BOUND_MILLISECONDS)
        self.contexts.append(context)
        context.on("console", lambda message: message.type == "error" and self.complaints.append(message.text))
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        return context

    async def open(self, address: str = "", context: Any = None, **options: Any) -> Page:
        context = context or await self.context(**options)
        page = await context.new_page()
        await page.goto(self.shop.url + address)
        await is_live(page)
        return page


async def is_live(page: Page) -> None:
    """Wait until the stream of a page is connected."""
    await page.locator("html[data-connection=live]").wait_for(state="attached")


@asynccontextmanager
async def launched(path: str | None, **options: Any) -> AsyncIterator[Any]:
    """Start a browser; its processes are stopped at the end."""
    if path is None:
        pytest.skip(chromium.WHY_NOT)
    async with playwright_api.async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=path, args=chromium.FLAGS, **options)
        yield started
        await started.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Any]:
    async with launched(chromium.find_shell()) as started:
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> AsyncIterator[Shop]:
    async with open_shop(tmp_path_factory.mktemp("shop")) as opened:
        await opened.serve()
        yield opened


@asynccontextmanager
async def opened_pages(browser: Any, shop: Shop) -> AsyncIterator[Pages]:
    """Yield pages that are closed at the end and must not have reported errors."""
    opened = Pages(browser, shop)
    yield opened
    for context in opened.contexts:
        await context.close()
    assert opened.complaints == []


@pytest_asyncio.fixture(loop_scope="session")
async def pages(browser: Any, shop: Shop) -> AsyncIterator[Pages]:
    async with opened_pages(browser, shop) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def pages_that_are_kept(shop: Shop) -> AsyncIterator[Pages]:
    """Yield pages of a full browser with a back/forward cache: shells have none, and Playwright disables it."""
    switched_on = {"ignore_default_args": ["--disable-back-forward-cache"]}
    async with launched(chromium.find(), **switched_on) as browser, opened_pages(browser, shop) as opened:
        yield opened


@pytest.fixture
def visit(pages: Pages) -> Callable[..., Awaitable[Page]]:
    """Open a page of the dashboard, and wait until it is live."""
    return pages.open
