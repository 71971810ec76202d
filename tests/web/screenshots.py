"""`python -m tests.web.screenshots`: pictures of the page for the README, from the simulator (`make screenshots`)."""

import asyncio
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, Literal, NamedTuple

import httpx
from playwright.async_api import Browser, Page, ViewportSize

from receiver.auth.links import make_page_link
from shared.clock import SystemClock
from standalone.demo import PROFILE, describe_site, load_past, open_group, plan_installation, start_simulator
from standalone.processes import Child, ProcessGroup
from standalone.stack import LocalInstallation, start_receiver, start_scraper
from tests.web.browser import run_chromium

IMAGES: Final = Path(__file__).parents[2] / "docs" / "images"
DAYS: Final = 2.5
_SETTLE_MS = 4_000
_KNOWN = 0.99
_SHADED = 8
"""Which panel of that house has a tree before it."""


class Screenshot(NamedTuple):
    """One picture: its file, its size in CSS pixels, its scheme, whether a panel is open."""

    name: str
    width: int
    height: int
    scheme: Literal["light", "dark"]
    panel: bool = False
    whole: bool = False


PICTURES: Final = (
    Screenshot("page-phone-light", 390, 844, "light"),
    Screenshot("page-phone-dark", 390, 844, "dark"),
    Screenshot("page-desktop-light", 1360, 900, "light", whole=True),
    Screenshot("page-desktop-dark", 1360, 900, "dark", whole=True),
    Screenshot("page-panel", 390, 844, "light", panel=True),
)


async def main() -> None:
    """A simulated installation with some days of history, and pictures of its page."""
    clock = SystemClock()
    groups: list[ProcessGroup] = []
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="envoy-relay-pictures.")))
        group = await stack.enter_async_context(open_group(directory / "demo", groups))
        simulation = await start_simulator(group, directory / "demo", PROFILE, clock)
        plain = plan_installation(directory / "demo", simulation.gateway, "pictures")
        installation = describe_site(plain, directory / "demo", simulation.past, clock)
        token = await start_receiver(group, installation, clock)
        loader = await load_past(group, installation, simulation.past, DAYS, clock)
        await start_scraper(group, installation)
        await _wait_for_end(loader)
        await _wait_for_roll_up(installation, token)
        browser = await stack.enter_async_context(run_chromium())
        await take(browser, make_page_link(installation.url, token), PICTURES, IMAGES)


async def take(browser: Browser, link: str, pictures: Sequence[Screenshot], directory: Path) -> None:
    """Take the pictures of the page behind a link."""
    for picture in pictures:
        size: ViewportSize = {"width": picture.width, "height": picture.height}
        context = await browser.new_context(
            viewport=size, color_scheme=picture.scheme, device_scale_factor=2, locale="en-GB"
        )
        page = await context.new_page()
        await page.goto(link)
        await page.locator(".light.live").wait_for(timeout=60_000)
        await page.locator(".panel").first.wait_for()
        await page.wait_for_timeout(_SETTLE_MS)
        if picture.panel:
            await _open_panel(page)
        await page.screenshot(path=directory / f"{picture.name}.png", full_page=picture.whole)
        await context.close()


async def _open_panel(page: Page) -> None:
    await page.locator(".panel").nth(_SHADED).click()
    await page.locator("dialog canvas").first.wait_for()
    await page.wait_for_timeout(1_000)


async def _wait_for_roll_up(installation: LocalInstallation, token: str) -> None:
    """Wait until the day before today is known: the roll-up job goes over the history once a minute."""
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=installation.url, headers=headers, trust_env=False) as client:
        path, asked = f"/api/v1/gateways/{installation.serial}/energy", {"every": "1d", "start": "yesterday"}
        while (await client.get(path, params=asked)).json()["windows"][0]["production_coverage"] < _KNOWN:  # noqa: ASYNC110 (another process)
            await asyncio.sleep(2)


async def _wait_for_end(child: Child) -> None:
    while child.running:  # noqa: ASYNC110 (a process of the demo, looked at once a second)
        await asyncio.sleep(1)


if __name__ == "__main__":
    IMAGES.mkdir(parents=True, exist_ok=True)
    asyncio.run(main())
