"""One panel's last days, and the panels that need a person."""

import re
from datetime import timedelta

from playwright.async_api import Page, expect

from shared.readings import Reading
from shared.units import DAY_MS, HOUR_MS, QUARTER_MS
from tests.web.page_server import WEAK, PageServer
from tests.web.sources import WEB
from tests.web.test_browser import list_findings, open_page
from tests.web.test_browser_periods import find_today


async def test_a_panel_behind_its_peers_stands_in_the_banner_with_the_day_when_it_began(
    page: Page, page_server: PageServer
) -> None:
    await page_server.add_past(2 * DAY_MS, 3 * DAY_MS)
    await open_page(page, page_server)
    banner = page.locator(".banner", has_text="is behind")
    await expect(banner).to_contain_text("Roof 5 is behind its peers")
    began = find_today(page_server) - timedelta(days=3)
    await expect(banner).to_contain_text(re.compile(rf"Since {began.day} {began:%b}\w* it gives about (49|50|51)\s%"))


async def test_the_dialog_has_the_last_days_peak_temperature_and_voltage(page: Page, page_server: PageServer) -> None:
    await page_server.add_past(2 * DAY_MS, 3 * DAY_MS)
    now = page_server.clock.now_ms()
    warm = [
        Reading("inverter", {"inverter": WEAK}, time, {"power": 50.0, "temperature": 41.0, "dc_voltage": 33.5})
        for time in range(now - HOUR_MS, now, QUARTER_MS)
    ]
    await page_server.send(*warm)
    await open_page(page, page_server)
    await page.locator(f".panel[data-inverter='{WEAK}']").click()
    dialog = page.get_by_role("dialog", name="Roof 5")
    await expect(dialog.locator(".panel-days li.behind")).to_have_count(4)
    await expect(dialog.locator(".panel-days li").first).to_have_attribute("title", re.compile(r"5\d\s%|49\s%"))
    await expect(dialog.locator(".panel-days")).to_contain_text("Behind them since")
    await expect(dialog.locator("dl")).to_contain_text("Peak that day")
    await expect(dialog.get_by_role("img", name="Temperature and voltage, Today")).to_be_visible()
    await expect(dialog.locator(".key.bad .value")).to_have_text("41\u202f°C")
    await expect(dialog.locator(".key.house .value")).to_have_text("33.5\u202fV")
    await page.evaluate((WEB / "node_modules" / "axe-core" / "axe.min.js").read_text())
    assert await list_findings(page) == []
    assert await page.evaluate(
        "document.querySelector('dialog').scrollWidth <= document.querySelector('dialog').clientWidth"
    )
