"""A browser, and a page for it to look at."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Request

from tests.tools import skip_missing
from tests.web.browser import find_executable, run_chromium
from tests.web.page_server import PageServer, run_page_server
from tests.web.sources import build


@pytest.fixture(scope="session", autouse=True)
def built() -> None:
    """The page as it is built of the sources of now."""
    build()


@pytest.fixture
async def page_server(tmp_path: Path) -> AsyncIterator[PageServer]:
    """A receiver with a household."""
    async with run_page_server(tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
async def chromium() -> AsyncIterator[Browser]:
    """One for the tests of a file: its start takes longer than most of them."""
    try:
        find_executable()
    except FileNotFoundError as error:  # CI installs one; a page that nobody looked at is not tested
        skip_missing(str(error))
    async with run_chromium() as started:
        yield started


@pytest.fixture
async def browser(chromium: Browser) -> AsyncIterator[Browser]:
    """A Chromium without a context: each has a profile of its own, and is closed at the end of the test."""
    yield chromium
    for context in chromium.contexts:
        await context.close()


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A phone's page. At the end: no error was thrown in it, and it asked no other host than that of the receiver."""
    context = await browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, locale="en-GB")
    shown = await context.new_page()
    errors: list[str] = []
    hosts: set[str] = set()

    def note_request(request: Request) -> None:
        hosts.add(request.url.split("/")[2].split(":")[0])

    shown.on("pageerror", lambda error: errors.append(str(error)))
    context.on("request", note_request)
    yield shown
    await context.close()
    assert not errors
    assert hosts <= {"127.0.0.1"}
