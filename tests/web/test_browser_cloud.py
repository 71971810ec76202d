"""A system that is read through the cloud, as people see it: what is there, from where, and nothing that is not there."""

import re

import pytest
import yaml
from playwright.async_api import Browser, Page, expect

from shared.readings import Reading
from shared.units import DAY_MS, HOUR_MS, MINUTE_MS, QUARTER_MS
from tests.receiver.service import GATEWAY
from tests.web.page_server import SYSTEM, PageServer, make_status
from tests.web.sources import WEB
from tests.web.test_browser import list_findings

ENERGY_WH = 100.0


async def send_days(page_server: PageServer) -> None:
    """Three days of meters, each quarter hour the same, up to some minutes ago."""
    now = page_server.clock.now_ms()
    newest = (now - 20 * MINUTE_MS) // QUARTER_MS * QUARTER_MS
    tags = {"source": "met", "phase": "total", "revision": "0"}
    fields: dict[str, float | str] = {"energy": ENERGY_WH, "interval": 900.0, "power": 4 * ENERGY_WH}
    ends = range(newest - 3 * DAY_MS, newest + 1, QUARTER_MS)
    await page_server.send(*(Reading("interval", tags, end, fields) for end in ends), serial=SYSTEM)
    await page_server.send(make_status(now), serial=SYSTEM)
    await page_server.receiver.rollups.catch_up()


def link_gateway(page_server: PageServer) -> None:
    """Say in the sites file that the system is that of the household's gateway."""
    described = yaml.safe_load(page_server.sites_file.read_text())
    described[GATEWAY]["cloud"] = SYSTEM
    page_server.sites_file.write_text(yaml.safe_dump(described))
    page_server.receiver.sites.look_now()


async def open_system(page: Page, page_server: PageServer) -> None:
    await send_days(page_server)
    await page.goto(f"{page_server.url}#token={page_server.make_token(gateways=(SYSTEM,))[1]}")


async def test_a_system_of_the_cloud_shows_what_is_there_and_says_from_where(
    page: Page, page_server: PageServer
) -> None:
    await open_system(page, page_server)
    await expect(page.locator(".state")).to_have_text(re.compile(r"^From the cloud, \d+\u202fmin ago$"))
    await expect(page.locator(".light.live")).to_have_count(0)
    await expect(page.locator(".node.sun strong")).to_have_text("400\u202fW")
    for absent in (".node.house", ".node.grid", ".node.battery", ".panels", ".phases"):
        await expect(page.locator(absent)).to_be_hidden()
    await expect(page.locator(".tile:visible")).to_have_count(1)
    await expect(page.locator(".banner")).to_have_count(0)
    await page.evaluate((WEB / "node_modules" / "axe-core" / "axe.min.js").read_text())
    assert await list_findings(page) == []


async def test_its_days_are_drawn_from_quarter_hours_and_longer_spans_as_bars(
    page: Page, page_server: PageServer
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await open_system(page, page_server)
    await page.get_by_role("button", name="The day before").click()
    await expect(page.locator(".curve .key.sun .value").first).to_have_text("9.60\u202fkWh, peak 400\u202fW")
    await expect(page.locator(".curve canvas")).to_be_visible()
    await expect(page.locator(".tile", has_text="Produced").locator("dd")).to_have_text("9.60\u202fkWh")
    await page.get_by_role("button", name="Week", exact=True).click()
    await expect(page.locator(".bar")).to_have_count(7)
    assert any("every=15m" in url for url in asked)
    assert not any("site_1m" in url or url.endswith("/live") for url in asked)


async def test_a_linked_gateway_says_what_the_cloud_has_filled_in(page: Page, page_server: PageServer) -> None:
    link_gateway(page_server)
    await page_server.fill_history()
    await send_days(page_server)
    await page.goto(page_server.make_link())
    note = page.locator(".energy .note")
    for _ in range(2):
        await page.get_by_role("button", name="The day before").click()
        await expect(note).to_have_text(
            re.compile(r"^Known for \d+\u202f% of the time. From the cloud: Produced [\d.]+\u202fkWh\.$")
        )
    await expect(page.locator(".exports .coverage")).to_have_text(
        re.compile(r"From the cloud: Produced [\d.]+\u202fkWh\.")
    )


async def test_yesterday_evening_is_not_now(page: Page, page_server: PageServer) -> None:
    now = page_server.clock.now_ms()
    tags = {"source": "inv", "phase": "total", "revision": "0"}
    fields: dict[str, float | str] = {"energy": 50.0, "interval": 300.0, "power": 600.0}
    await page_server.send(Reading("interval", tags, now - 4 * HOUR_MS, fields), make_status(now), serial=SYSTEM)
    await page.goto(f"{page_server.url}#token={page_server.make_token(gateways=(SYSTEM,))[1]}")
    await expect(page.locator(".state")).to_have_text("From the cloud")
    await expect(page.locator(".node.sun strong")).to_have_text("\N{EN DASH}")


@pytest.mark.parametrize("width", [320, 1440])
async def test_in_german(browser: Browser, page_server: PageServer, width: int) -> None:
    context = await browser.new_context(locale="de-DE", viewport={"width": width, "height": 800})
    try:
        page = await context.new_page()
        await open_system(page, page_server)
        await expect(page.locator(".state")).to_have_text(re.compile(r"^Aus der Cloud, vor \d+\u202fmin$"))
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
    finally:
        await context.close()
