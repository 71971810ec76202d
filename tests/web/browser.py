"""A real Chromium that asks nobody but the address of a test."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

_CANDIDATES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_executable() -> str:
    """The browser of this machine: CHROMIUM names it, else it is looked for on the PATH.

    Raises:
        FileNotFoundError: There is none.
    """
    for name in filter(None, (os.environ.get("CHROMIUM"), *_CANDIDATES)):
        if path := shutil.which(name):
            return path
    raise FileNotFoundError("the tests of the page need Chromium: apt-get install chromium, or set CHROMIUM to it")


@asynccontextmanager
async def run_chromium() -> AsyncIterator[Browser]:
    """A browser with an empty profile of its own (Playwright makes a new one for each start)."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_executable(), args=list(_ARGUMENTS))
        try:
            yield browser
        finally:
            await browser.close()
