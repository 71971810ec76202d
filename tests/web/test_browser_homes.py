"""Homes at night, and homes without meters of the house."""

import math
import re

from playwright.async_api import Page, expect

from shared.readings import Reading
from shared.units import HOUR_MS, MINUTE_MS, QUARTER_MS
from tests.receiver.service import OTHER
from tests.web.page_server import PageServer, make_status


def make_report(inverter: int, timestamp: int, power: float) -> Reading:
    """One report of one panel."""
    fields = {"power": power, "max_power": 350.0, "interval": 900.0}
    return Reading("inverter", {"inverter": f"48220000000{inverter}"}, timestamp, {**fields})


async def open_other(page: Page, page_server: PageServer) -> None:
    """Open the system that the sites file does not know."""
    await page_server.receiver.rollups.catch_up()
    await page.goto(f"{page_server.url}#token={page_server.make_token(gateways=(OTHER,))[1]}")
    await expect(page.locator(".panel")).to_have_count(3)


async def test_at_night_panels_are_grey_and_the_roof_says_since_when_it_sleeps(
    page: Page, page_server: PageServer
) -> None:
    now = page_server.clock.now_ms()
    last = now - 100 * MINUTE_MS
    reports = [make_report(panel, last - panel * MINUTE_MS, 72.0 + panel) for panel in (0, 1, 2)]
    await page_server.send(*reports, make_status(now), serial=OTHER)
    await open_other(page, page_server)
    clock = f"{last // HOUR_MS % 24:02}:{last // MINUTE_MS % 60:02}"
    await expect(page.locator(".panels .head")).to_contain_text(f"asleep since {clock}")
    await expect(page.locator(".panel.asleep .panel-value")).to_have_text(["\u2013"] * 3)
    grey = await page.locator(".panel").first.evaluate("element => getComputedStyle(element).backgroundColor")
    assert grey == "rgb(233, 236, 232)"


async def test_a_home_without_meters_of_the_house_has_a_layout_of_its_own(page: Page, page_server: PageServer) -> None:
    now = page_server.clock.now_ms()
    readings = [
        Reading(
            "meter", {"meter": "production", "phase": "a"}, time, {"power": 1500.0 + 100 * math.sin(time / HOUR_MS)}
        )
        for time in range(now - 3 * HOUR_MS, now, MINUTE_MS)
    ]
    readings += [
        make_report(panel, time, 500.0) for time in range(now - 3 * HOUR_MS, now, QUARTER_MS) for panel in (0, 1, 2)
    ]
    newest = Reading("meter", {"meter": "production", "phase": "a"}, now, {"power": 1520.0})
    await page_server.send(*readings, newest, make_status(now), serial=OTHER)
    await open_other(page, page_server)
    await expect(page.locator(".node.sun strong")).to_have_text("1.52\u202fkW")
    for hidden in (".node.house", ".node.grid", ".flow-lines", ".key.house >> nth=0", ".key.grid >> nth=0"):
        await expect(page.locator(hidden)).to_be_hidden()
    await expect(page.locator(".light.live, .light.waiting")).to_be_visible()
    await expect(page.locator(".state")).to_have_text(re.compile("^(Live|Last values .*)$"))
    await expect(page.locator(".chart .key.sun .value").first).to_have_text(re.compile(r"^1\.\d\d\u202fkW$"))
    await expect(page.locator(".tile:visible dt")).to_have_text(["Produced"])
    await page.get_by_role("button", name="Week", exact=True).click()
    await expect(page.locator(".bar .piece.produced").first).to_be_visible()


async def test_the_light_has_one_size_in_every_state(page: Page, page_server: PageServer) -> None:
    await page.goto(page_server.make_link())
    await expect(page.locator(".light.live")).to_be_visible()
    for state in ("live", "waiting", "lost"):
        size = await page.locator(".light").evaluate(
            "(element, state) => { element.className = `light ${state}`; const box = element.getBoundingClientRect();"
            " return [box.width, box.height]; }",
            state,
        )
        assert size == [9, 9]
