"""Roofs of many columns and houses of three phases on phones: nothing is cut off, and nothing lies out of reach."""

import pytest
import yaml
from playwright.async_api import Browser, Page, expect

from shared.readings import Reading
from tests.receiver.service import GATEWAY
from tests.web.page_server import NAME, PANELS, PageServer
from tests.web.test_browser_locales import GERMAN, LEAST_PX, check_width, open_as

FITS = "each => each.scrollWidth <= each.clientWidth"


async def lay_in_one_row(page_server: PageServer) -> None:
    """Put all six panels side by side; one gives more than a kilowatt, the others three-digit watts."""
    sites = yaml.safe_load(page_server.sites_file.read_text())
    for column, panel in enumerate(sites[GATEWAY]["panels"].values(), start=1):
        panel.update(row=1, column=column)
    page_server.sites_file.write_text(yaml.safe_dump(sites))
    await page_server.stop()
    await page_server.start()  # which reads the file
    now = page_server.clock.now_ms()
    powers = dict(zip(PANELS, (1238.0, 329.0, 388.0, 400.0, 444.0, 266.0), strict=True))
    await page_server.send(*(Reading("inverter", {"inverter": one}, now, {"power": w}) for one, w in powers.items()))


@pytest.mark.parametrize("width", [320, 390])
async def test_powers_and_states_of_six_columns_are_whole(page: Page, page_server: PageServer, width: int) -> None:
    await lay_in_one_row(page_server)
    await page.set_viewport_size({"width": width, "height": 844})
    await page.goto(page_server.make_link())
    await expect(page.locator("h1")).to_have_text(NAME)
    values = page.locator(".panel-value")
    await expect(values).to_have_text(["1.24\u202fkW", *(f"{power}\u202fW" for power in (329, 388, 400, 444, 266))])
    await expect(page.locator(".roof .array")).to_have_attribute("style", "--columns: 6;")
    for tile in await page.locator(".panel, .panel-value").all():
        assert await tile.evaluate(FITS), await tile.inner_text()
    for tile in await page.locator(".panel").all():
        for word in ("silent", "stumm"):
            assert await tile.evaluate(
                "(each, word) => { each.classList.add('unheard'); each.querySelector('.panel-number').textContent = word;"
                " each.querySelector('.panel-unit').textContent = ''; return each.scrollWidth <= each.clientWidth; }",
                word,
            ), word


@pytest.mark.parametrize("width", [320, 390])
async def test_every_column_of_the_editor_is_in_sight(page: Page, page_server: PageServer, width: int) -> None:
    await lay_in_one_row(page_server)
    await page.set_viewport_size({"width": width, "height": 844})
    await page.goto(page_server.make_link(scope="owner"))
    await page.get_by_role("button", name="Place panels").click()
    grid = page.locator(".editor-grid").first
    await expect(grid.locator(".panel")).to_have_count(len(PANELS))
    await expect(grid.locator(".cell")).to_have_count(2 * 7)  # with a free row and a free column
    assert await grid.evaluate(FITS)


@pytest.mark.parametrize("width", [320, 390])
async def test_a_roof_that_is_wider_than_the_screen_scrolls_by_itself(
    page: Page, page_server: PageServer, width: int
) -> None:
    """Its 30 columns were squeezed until nobody could read them, and those beyond the 24th lay upon each other."""
    serials = [f"4822000000{index:02}" for index in range(30)]
    sites = yaml.safe_load(page_server.sites_file.read_text())
    sites[GATEWAY]["panels"] = {
        serial: {"name": f"West {index + 1}", "array": "West", "row": 1, "column": index + 1}
        for index, serial in enumerate(serials)
    }
    page_server.sites_file.write_text(yaml.safe_dump(sites))
    await page_server.stop()
    await page_server.start()  # which reads the file
    now = page_server.clock.now_ms()
    await page_server.send(*(Reading("inverter", {"inverter": one}, now, {"power": 1329.0}) for one in serials))
    await page.set_viewport_size({"width": width, "height": 844})
    await page.goto(page_server.make_link())
    roof = page.get_by_role("group", name="West")
    await expect(roof.locator(".panel")).to_have_count(len(serials))
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    assert await roof.evaluate("each => each.scrollWidth > each.clientWidth")
    for tile in await roof.locator(".panel, .panel-value").all():
        assert await tile.evaluate(FITS), await tile.inner_text()
    size = "each => parseFloat(getComputedStyle(each).fontSize)"
    assert await roof.locator(".panel-number").last.evaluate(size) >= LEAST_PX
    places = [await tile.bounding_box() for tile in await roof.locator(".panel").all()]
    assert len({box["x"] for box in places if box}) == len(serials), "each has a place of its own"
    await roof.locator(".panel").last.scroll_into_view_if_needed()
    await expect(roof.locator(".panel").last).to_be_in_viewport()


@pytest.mark.parametrize("width", [320, 390])
async def test_the_table_of_three_phases_is_whole(browser: Browser, page_server: PageServer, width: int) -> None:
    """With the longest words, and values of a house that draws much."""
    powers = {"a": -12_345.0, "b": 10_234.0, "c": 876.0}
    for meter in ("production", "net-consumption", "total-consumption"):
        for phase, power in powers.items():
            signed = power if meter == "net-consumption" else abs(power)
            fields = {"power": signed, "voltage": 231.4, "current": abs(power / 231.4), "power_factor": -0.98}
            await page_server.send(
                Reading("meter", {"meter": meter, "phase": phase}, page_server.clock.now_ms(), {**fields})
            )
    page = await open_as(browser, page_server, GERMAN)
    table = page.get_by_role("region", name="Phasen").get_by_role("table")
    await expect(table.get_by_role("rowheader")).to_have_count(9)
    await check_width(page, width)
    await page.context.close()
