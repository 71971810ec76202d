"""A site of two gateways on the page: one entry of the list, its sums, and who is silent."""

import asyncio
import re
from datetime import timedelta

import pytest
import yaml
from playwright.async_api import Page, expect

from shared.readings import Reading
from shared.units import DAY_MS, HOUR_MS, MINUTE_MS
from tests.receiver.service import GATEWAY, OTHER
from tests.web.page_server import NAME, PageServer, make_status
from tests.web.sources import WEB
from tests.web.test_browser import list_findings
from tests.web.test_browser_periods import find_today

SITE = "Lane 5"


async def open_house(page: Page, page_server: PageServer, *, age_ms: int = 0) -> None:
    """Open the list of somebody who may see both gateways, and the site in it; the garage was heard so long ago."""
    sites = yaml.safe_load(page_server.sites_file.read_text())
    sites[GATEWAY]["site"] = SITE
    sites[OTHER] = {"name": "Garage", "site": SITE, "time_zone": sites[GATEWAY]["time_zone"]}
    page_server.sites_file.write_text(yaml.safe_dump(sites))
    async with asyncio.timeout(30):  # the receiver reads the file again within 10 s
        while not page_server.receiver.sites.list_houses():  # noqa: ASYNC110 (nobody tells of it)
            await asyncio.sleep(0.1)
    await page_server.receiver.rollups.catch_up()  # in the zone that the garage has now
    now = page_server.clock.now_ms()
    garage = Reading("meter", {"meter": "production", "phase": "a"}, now - age_ms, {"power": 766.0})
    await page_server.send(garage, make_status(now - age_ms), serial=OTHER)
    await page_server.set_power(production=1234.0, net=-234.0)
    await page.goto(f"{page_server.url}#token={page_server.make_token(gateways=(GATEWAY, OTHER))[1]}")
    await expect(page.locator(".system strong")).to_have_count(3)
    await page.locator(".system", has_text=SITE).click()
    await expect(page.locator("h1")).to_have_text(SITE)


@pytest.mark.parametrize("width", [320, 1440])
async def test_a_site_shows_the_sums_of_its_gateways(page: Page, page_server: PageServer, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 900})
    await open_house(page, page_server)
    await expect(page).to_have_url(f"{page_server.url}?site=Lane+5")
    await expect(page.locator(".node.sun strong")).to_have_text("2.00\u202fkW")
    await expect(page.locator(".node.house strong")).to_have_text("1.77\u202fkW")
    await expect(page.locator(".node.grid strong")).to_have_text("234\u202fW")
    await expect(page.locator(".energy .tile.grid dd").first).to_have_text(re.compile("Wh$"))
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    await page.evaluate((WEB / "node_modules" / "axe-core" / "axe.min.js").read_text())
    assert await list_findings(page) == []
    await page.get_by_role("button", name="Week", exact=True).click()
    await expect(page.locator(".bars button").first).to_be_visible()


async def test_a_site_has_a_day_curve_live_values_and_files(page: Page, page_server: PageServer) -> None:
    """The garage measures the whole day; the curve is the sum of both while both are known."""
    now = page_server.clock.now_ms()
    garage = [
        Reading("meter", {"meter": "production", "phase": "a"}, time, {"power": 500.0})
        for time in range(now - 4 * HOUR_MS, now, MINUTE_MS)
    ]
    await page_server.send(*garage, serial=OTHER)
    await page_server.receiver.rollups.catch_up()
    await open_house(page, page_server)
    await expect(page.locator(".light.live")).to_be_visible()
    await expect(page.locator(".curve canvas")).to_be_visible()
    produced = page.locator(".chart .legend .key.sun .value")
    used = page.locator(".chart .legend .key.house .value")
    await expect(produced).to_have_text(re.compile("W$"))
    await expect(used).to_have_text("900\u202fW")  # the house uses 400 W besides, which its own meter does not see
    await page_server.set_power(production=2234.0, net=-234.0)
    await expect(page.locator(".node.sun strong")).to_have_text("3.00\u202fkW", timeout=10_000)
    links = page.locator(".exports a")
    names = [await link.get_attribute("aria-label") or "" for link in await links.all()]
    assert names[:4] == [
        "energy (CSV)", "quarter hours (CSV)", f"panels ({NAME}) (CSV)", "panels (Garage) (CSV)"
    ]  # fmt: skip
    for link in (await links.all())[:3]:  # the garage has no panels
        async with page.expect_download() as started:
            await link.click()
        file = await (await started.value).path()
        assert len(file.read_text().splitlines()) > 1, await link.get_attribute("href")
    await expect(page.locator(".exports .coverage")).to_have_text(re.compile(r"Produced \d+\s%|known for \d+\s%"))


async def test_a_day_of_a_site_is_compared_with_the_one_before(page: Page, page_server: PageServer) -> None:
    await page_server.send_whole_days(3)
    now = page_server.clock.now_ms()
    garage = [
        Reading("meter", {"meter": "production", "phase": "a"}, time, {"power": 500.0})
        for time in range(now - 3 * DAY_MS, now, MINUTE_MS)
    ]
    await page_server.send(*garage, serial=OTHER)
    await page_server.receiver.rollups.catch_up()
    await open_house(page, page_server)
    await page.keyboard.press("ArrowLeft")
    said = re.compile(r"^Beside the day before: produced (as much|\d+\s% (more|less)), used ")
    await expect(page.locator(".compared")).to_have_text(said, timeout=15_000)


async def test_the_way_to_a_gateway_and_back(page: Page, page_server: PageServer) -> None:
    await open_house(page, page_server)
    await page.locator(".system", has_text=NAME).click()
    await expect(page).to_have_url(f"{page_server.url}?gateway={GATEWAY}")
    await expect(page.locator("h1")).to_have_text(NAME)
    await page.go_back()
    await expect(page.locator("h1")).to_have_text(SITE)
    await page.reload()
    await expect(page.locator("h1")).to_have_text(SITE)
    await page.get_by_role("button", name="All systems").click()
    await expect(page.locator("h1")).to_have_text("Systems")


async def test_a_site_walks_to_past_times_and_the_address_has_them(page: Page, page_server: PageServer) -> None:
    await page_server.add_past(40 * DAY_MS)
    await open_house(page, page_server)
    today = find_today(page_server)
    yesterday, past = today - timedelta(days=1), today - timedelta(days=40)
    day, before = page.locator(".day"), page.get_by_role("button", name="The day before")
    await page.keyboard.press("ArrowLeft")
    await expect(day).to_have_text("Yesterday")
    await expect(page).to_have_url(f"{page_server.url}?site=Lane+5&date={yesterday.isoformat()}")
    await expect(page.locator(".energy h2")).to_have_text("Energy yesterday")
    await expect(page.locator(".energy .tile.grid dd").first).to_have_text(re.compile("Wh$"))
    await before.click()  # over the days without readings
    await expect(day).to_contain_text(f"{past.day} {past:%B}")
    await expect(before).to_be_disabled()
    await expect(page).to_have_url(re.compile(f"date={past.isoformat()}$"))
    await page.reload()
    await expect(page.locator("h1")).to_have_text(SITE)
    await expect(day).to_contain_text(f"{past.day} {past:%B}")
    await page.get_by_role("button", name="Month", exact=True).click()
    await expect(day).to_have_text(f"{past:%B %Y}")
    await expect(page).to_have_url(re.compile("period=month"))
    await page.locator(".bar").nth(past.day - 1).click()
    await expect(day).to_contain_text(f"{past.day} {past:%B}")
    await expect(page).not_to_have_url(re.compile("period=month"))
    await page.go_back()
    await expect(day).to_have_text(f"{past:%B %Y}")


async def test_a_silent_gateway_is_named_and_the_sum_is_unknown(page: Page, page_server: PageServer) -> None:
    await open_house(page, page_server, age_ms=30 * MINUTE_MS)
    await expect(page.locator("main > .systems")).to_contain_text("Garage is silent, last heard 30 min ago")
    await expect(page.locator(".node.sun strong")).to_have_text("\u2013")
    await expect(page.locator(".node.grid strong")).to_have_text("234\u202fW")
    await page.get_by_role("button", name="All systems").click()
    row = page.locator(".system", has=page.locator("strong", has_text=SITE))
    await expect(row.locator(".said")).to_contain_text("Garage is silent")
    await expect(row.locator(".power")).to_have_text("\u2013")
    await expect(row.locator(".light")).to_have_class("light lost")
