"""Several systems: the list, the worst first, search, and the way back."""

import re

import pytest
from playwright.async_api import Page, expect

from shared.readings import Reading
from shared.units import MINUTE_MS
from tests.receiver.service import GATEWAY, OTHER
from tests.web.page_server import NAME, PageServer, make_status
from tests.web.sources import WEB
from tests.web.test_browser import list_findings


async def open_list(page: Page, page_server: PageServer) -> None:
    """Open the page of somebody who may see two systems; one has a changed certificate."""
    now = page_server.clock.now_ms()
    other = Reading("meter", {"meter": "production", "phase": "a"}, now, {"power": 777.0})
    await page_server.send(other, make_status(now, certificate_changed=1.0), serial=OTHER)
    await page.goto(f"{page_server.url}#token={page_server.make_token(gateways=(GATEWAY, OTHER))[1]}")
    await expect(page.locator(".system strong")).to_have_text([f"Gateway {OTHER}", NAME])


@pytest.mark.parametrize("width", [320, 1440])
async def test_systems_are_listed_with_the_worst_first(page: Page, page_server: PageServer, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 800})
    await open_list(page, page_server)
    worst = page.locator(".system").first
    await expect(worst.locator(".said")).to_contain_text("another certificate")
    await expect(worst.locator(".power")).to_have_text("777\u202fW")
    fine = page.locator(".system").last
    await expect(fine.locator(".power")).to_have_text("1.23\u202fkW")
    await expect(fine.locator(".today")).to_have_text(re.compile("kWh$"))
    await expect(fine.locator(".heard")).to_have_text(re.compile("^heard "))
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    await page.evaluate((WEB / "node_modules" / "axe-core" / "axe.min.js").read_text())
    assert await list_findings(page) == []


async def test_a_system_is_searched_opened_and_left_again(page: Page, page_server: PageServer) -> None:
    await open_list(page, page_server)
    await page.get_by_label("Search systems").fill("nobody")
    await expect(page.get_by_role("status")).to_contain_text("No system")
    await page.get_by_label("Search systems").fill(OTHER[-4:])
    await expect(page.locator(".system:visible")).to_have_count(1)
    await page.locator(".system:visible").click()
    await expect(page).to_have_url(f"{page_server.url}?gateway={OTHER}")
    await expect(page.locator(".node.sun strong")).to_have_text("777\u202fW")
    await expect(page.locator(".panels")).to_be_hidden()
    await page.reload()
    await expect(page.locator("h1")).to_have_text(f"Gateway {OTHER}")
    await page.get_by_role("button", name="All systems").click()
    await page.get_by_role("button", name=NAME).click()
    await expect(page.locator("h1")).to_have_text(NAME)
    await page.get_by_role("button", name="Week", exact=True).click()
    await expect(page).to_have_url(re.compile("period=week"))
    await page.go_back()
    await page.go_back()
    await expect(page.locator("h1")).to_have_text("Systems")


async def test_a_link_sees_only_its_own_system(page: Page, page_server: PageServer) -> None:
    await page_server.send(make_status(page_server.clock.now_ms()), serial=OTHER)
    await page.goto(page_server.make_link())
    await expect(page.locator("h1")).to_have_text(NAME)
    await page.goto(f"{page_server.url}?gateway={OTHER}")
    await expect(page.locator("h1")).to_have_text(NAME)
    await expect(page.get_by_role("button", name="All systems")).to_have_count(0)


async def test_a_gateway_with_an_open_gap_has_no_power_of_now(page: Page, page_server: PageServer) -> None:
    """Reports of its panels count for minutes after it fell silent."""
    await page_server.send(Reading("event", {"type": "gap"}, page_server.clock.now_ms() - MINUTE_MS, {"reason": "x"}))
    await open_list(page, page_server)
    row = page.locator(".system", has=page.locator("strong", has_text=NAME))
    await expect(row.locator(".said")).to_contain_text("Nothing is measured at present")
    await expect(row.locator(".power")).to_have_text("\u2013")
