"""The owner places and names panels on the page: by pointer, by keyboard, by a list, and never over another's edit."""

import json
from collections.abc import AsyncIterator

import pytest
import yaml
from playwright.async_api import Browser, Locator, Page, expect

from tests.receiver.service import GATEWAY
from tests.web.page_server import NAME, PANELS, PageServer
from tests.web.sources import WEB
from tests.web.test_browser import list_findings

FIRST, SECOND, THIRD, *_, LAST = PANELS


async def open_editor(page: Page, page_server: PageServer) -> Locator:
    """Open the page by an owner's link, and the editor; the dialog."""
    await page.goto(page_server.make_link(scope="owner"))
    await expect(page.locator("h1")).to_have_text(NAME)
    await page.get_by_role("button", name="Place panels").click()
    dialog = page.get_by_role("dialog", name="Place and name panels")
    await expect(dialog.locator(".editor-grid .panel")).to_have_count(len(PANELS))
    return dialog


def find_tile(dialog: Locator, serial: str) -> Locator:
    return dialog.locator(f".editor-tile[data-inverter='{serial}']")


def find_cell(dialog: Locator, row: int, column: int) -> Locator:
    return dialog.locator(f".cell[data-row='{row}'][data-column='{column}']").first


async def save(dialog: Locator) -> None:
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog).to_have_count(0)


def read_sites(page_server: PageServer) -> str:
    return page_server.sites_file.read_text()


def write_sites(page_server: PageServer, text: str) -> None:
    page_server.sites_file.write_text(text)


def read_panels(page_server: PageServer) -> dict[str, dict[str, object]]:
    panels: dict[str, dict[str, object]] = yaml.safe_load(read_sites(page_server))[GATEWAY]["panels"]
    return panels


async def test_a_link_that_reads_shows_no_editor(page: Page, page_server: PageServer) -> None:
    await page.goto(page_server.make_link())
    await expect(page.locator(".panel")).to_have_count(len(PANELS))
    await expect(page.get_by_role("button", name="Place panels")).to_have_count(0)


async def test_the_button_of_the_editor_has_the_form_of_the_others(page: Page, page_server: PageServer) -> None:
    await page.set_viewport_size({"width": 1000, "height": 800})
    await page.goto(page_server.make_link(scope="owner"))
    editing, other = page.locator("button.edit"), page.get_by_role("button", name="Sign out")
    for each in ("font-size", "padding", "height"):
        style = f"each => getComputedStyle(each).getPropertyValue('{each}')"
        assert await editing.evaluate(style) == await other.evaluate(style), each


async def test_a_panel_is_dragged_to_a_free_place_and_the_roof_shows_it(page: Page, page_server: PageServer) -> None:
    write_sites(page_server, "# ours\n" + read_sites(page_server))
    dialog = await open_editor(page, page_server)
    tile, cell = find_tile(dialog, LAST), find_cell(dialog, 3, 1)
    await cell.scroll_into_view_if_needed()
    start, end = await tile.bounding_box(), await cell.bounding_box()
    assert start is not None
    assert end is not None
    await page.mouse.move(start["x"] + 20, start["y"] + 20)
    await page.mouse.down()
    await page.mouse.move(start["x"] + 60, start["y"] + 40, steps=4)
    await page.mouse.move(end["x"] + 20, end["y"] + 20, steps=4)
    await page.mouse.up()
    await expect(dialog.get_by_role("status")).to_have_text("Roof 6: South, row 3, column 1")
    await save(dialog)
    moved = page.locator(f".roof .panel[data-inverter='{LAST}']")
    await expect(moved).to_have_css("grid-row-start", "3")
    assert read_panels(page_server)[LAST] == {"name": "Roof 6", "array": "South", "row": 3, "column": 1}
    assert read_sites(page_server).startswith("# ours\n")


async def test_a_finger_drags_too(page: Page, page_server: PageServer) -> None:
    dialog = await open_editor(page, page_server)
    tile, cell = find_tile(dialog, LAST), find_cell(dialog, 3, 2)
    await cell.scroll_into_view_if_needed()
    start, end = await tile.bounding_box(), await cell.bounding_box()
    assert start is not None
    assert end is not None
    fingers = await page.context.new_cdp_session(page)
    for kind, box in (("touchStart", start), ("touchMove", end), ("touchMove", end), ("touchEnd", None)):
        points = [] if box is None else [{"x": box["x"] + 20, "y": box["y"] + 20}]
        await fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    await expect(dialog.get_by_role("status")).to_have_text("Roof 6: South, row 3, column 2")


async def test_everything_goes_by_keyboard(page: Page, page_server: PageServer) -> None:
    dialog = await open_editor(page, page_server)
    await find_tile(dialog, FIRST).focus()
    await page.keyboard.press("ArrowRight")
    await expect(find_tile(dialog, FIRST)).to_be_focused()
    await expect(find_cell(dialog, 1, 1).locator(".panel")).to_have_attribute("data-inverter", SECOND)
    await page.keyboard.press("Delete")
    await expect(dialog.locator(".tray .panel")).to_have_attribute("data-inverter", FIRST)
    await page.keyboard.press("ArrowUp")
    await expect(find_cell(dialog, 1, 2).locator(".panel")).to_have_attribute("data-inverter", FIRST)
    await page.keyboard.press("Enter")
    await dialog.get_by_role("textbox", name="Name", exact=True).fill("Above the door")
    await page.keyboard.press("Tab")
    await expect(find_tile(dialog, FIRST)).to_have_text("Above the door")
    await dialog.get_by_role("spinbutton", name="Azimuth").fill("180")
    await page.keyboard.press("Tab")
    await dialog.get_by_role("spinbutton", name="Tilt").fill("35")
    await dialog.get_by_role("button", name="Save").focus()
    await page.keyboard.press("Enter")
    await expect(dialog).to_have_count(0)
    await expect(page.locator(".panels")).to_contain_text("faces south (180°), tilt 35°")
    wanted = {"name": "Above the door", "array": "South", "row": 1, "column": 2, "azimuth": 180, "tilt": 35}
    assert read_panels(page_server)[FIRST] == wanted
    assert read_panels(page_server)[THIRD]["azimuth"] == 180


async def test_a_pasted_list_and_a_layout_of_enlighten_are_shown_before_they_are_saved(
    page: Page, page_server: PageServer
) -> None:
    dialog = await open_editor(page, page_server)
    await dialog.get_by_text("Paste a list").click()
    field = dialog.get_by_role("textbox", name="List or layout")
    await field.fill(f"{FIRST}\tAttic\tSouth\t4\t1\n99\tOther\tSouth\t9\t9")
    await dialog.get_by_role("button", name="Take it over").click()
    await expect(dialog.get_by_role("status")).to_contain_text("1 panels taken over; 1 that this gateway does not have")
    await expect(find_cell(dialog, 4, 1).locator(".panel")).to_have_text("Attic")
    modules = [
        {"x": 100 * number, "y": 50, "inverter": {"serial_num": serial}} for number, serial in enumerate(PANELS, 1)
    ]
    await dialog.get_by_text("Paste a list").click()
    await field.fill(json.dumps({"arrays": [{"label": "Barn", "azimuth": 90, "modules": modules}]}))
    await dialog.get_by_role("button", name="Take it over").click()
    await expect(dialog.get_by_role("group", name="Places of Barn").locator(".panel")).to_have_count(len(PANELS))
    assert "Barn" not in read_sites(page_server)
    await dialog.get_by_text("Paste a list").click()
    await field.fill('{"arrays": [{"label": 7}]}')
    await dialog.get_by_role("button", name="Take it over").click()
    await expect(dialog.locator(".reason")).to_contain_text("This was not taken over. Arrays[0].label: expected")
    await save(dialog)
    await expect(page.locator(".panels")).to_contain_text("faces east (90°)")
    assert read_panels(page_server)[LAST] == {
        "name": "Roof 6", "array": "Barn", "row": 1, "column": 6, "azimuth": 90,
    }  # fmt: skip


async def test_an_edit_of_the_file_meanwhile_is_not_overwritten(page: Page, page_server: PageServer) -> None:
    dialog = await open_editor(page, page_server)
    await find_tile(dialog, FIRST).focus()
    await page.keyboard.press("ArrowDown")
    edited = read_sites(page_server) + "# by hand\n"
    write_sites(page_server, edited)
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.locator(".reason")).to_contain_text("The sites file has changed since it was read here")
    assert read_sites(page_server) == edited
    await dialog.get_by_role("button", name="Read it again").click()
    await expect(find_cell(dialog, 1, 1).locator(".panel")).to_have_attribute("data-inverter", FIRST)
    await find_tile(dialog, FIRST).focus()
    await page.keyboard.press("ArrowDown")
    await save(dialog)
    assert read_sites(page_server).endswith("# by hand\n")


async def test_after_a_reload_the_owners_link_is_asked_for_and_no_other_is_good(
    page: Page, page_server: PageServer
) -> None:
    await open_editor(page, page_server)
    await page.reload()
    await page.get_by_role("button", name="Place panels").click()
    dialog = page.get_by_role("dialog")
    field = dialog.get_by_label("Your owner link once more")
    await field.fill(page_server.make_link())
    await dialog.get_by_role("button", name="Use it").click()
    await expect(dialog.locator("form .reason")).to_contain_text("no token or link of scope owner")
    await field.fill(page_server.make_link(scope="owner"))
    await dialog.get_by_role("button", name="Use it").click()
    await expect(dialog.locator(".editor-grid .panel")).to_have_count(len(PANELS))


async def test_a_file_that_cannot_be_written_is_said_before_anything_is_done(
    page: Page, page_server: PageServer
) -> None:
    await page_server.stop()
    await page_server.start(has_sites_file=False)
    await page.goto(page_server.make_link(scope="owner"))
    await page.get_by_role("button", name="Place panels").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.locator(".reason")).to_contain_text("set RECEIVER_SITES_FILE")
    await expect(dialog.get_by_role("button", name="Save")).to_be_disabled()
    await dialog.get_by_role("button", name="Cancel").click()
    await expect(dialog).to_have_count(0)


@pytest.fixture(
    params=[(320, "light", "en-GB"), (390, "dark", "de-DE"), (820, "light", "de-DE"), (1440, "dark", "en-GB")]
)
async def shaped_page(request: pytest.FixtureRequest, browser: Browser) -> AsyncIterator[Page]:
    """A page of that width, scheme and locale."""
    width, scheme, locale = request.param
    context = await browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, locale=locale, has_touch=True
    )
    yield await context.new_page()
    await context.close()


async def test_the_editor_fits_and_axe_finds_nothing(shaped_page: Page, page_server: PageServer) -> None:
    page = shaped_page
    await page.goto(page_server.make_link(scope="owner"))
    await page.locator("button.edit").click()
    dialog = page.locator(".roof-editor")
    await find_tile(dialog, FIRST).click()
    await dialog.locator("summary").click()
    await expect(dialog.locator("#roof-panel")).to_contain_text(FIRST)
    await page.evaluate((WEB / "node_modules" / "axe-core" / "axe.min.js").read_text())
    assert await list_findings(page) == []
    assert await dialog.evaluate("each => each.scrollWidth <= each.clientWidth")
