"""Roofs of many columns on phones: nothing is cut off, and nothing lies out of sight."""

import pytest
import yaml
from playwright.async_api import Page, expect

from shared.readings import Reading
from tests.receiver.service import GATEWAY
from tests.web.page_server import NAME, PANELS, PageServer

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
