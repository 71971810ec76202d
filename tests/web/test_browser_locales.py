"""The page as readers of two languages see it, on narrow and wide, dark and light screens."""

import json
import re
from typing import Literal, NamedTuple

import pytest
from playwright.async_api import Browser, Page, expect

from shared.units import DAY_MS
from tests.web.page_server import NAME, PANELS, PageServer, make_status
from tests.web.sources import WEB
from tests.web.test_browser import list_findings

WIDTHS = (320, 390, 820, 1440)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("dark", "light")
LEAST_PX = 10.5
"""Nothing with a value is smaller."""

_FIND_CLIPPED = """
least => [...document.querySelectorAll(
    ".node strong, .node .word, .tile dt, .tile dd, .panel-value, .legend .value, .bar .label, td, th, .facts dd, .said"
)].filter(element => element.checkVisibility({visibilityProperty: true}) && element.textContent.trim() !== "").filter(element => {
    const range = document.createRange();
    range.selectNodeContents(element);
    const text = range.getBoundingClientRect();
    const box = element.closest(".node, .tile, .panel, .legend, .bars, th, td, .facts > div, .banner").getBoundingClientRect();
    const small = parseFloat(getComputedStyle(element).fontSize) < least;
    const isOutside = text.left < box.left - 1.5 || text.right > box.right + 1.5 || text.right > innerWidth;
    return small || isOutside;
}).map(element => `${element.className || element.tagName} ${getComputedStyle(element).fontSize}: ${element.textContent}`)
"""


class Reader(NamedTuple):
    """What a reader's browser says, and what the page answers."""

    locale: str
    language: str
    power: str
    clock: str
    words: dict[str, str]


GERMAN = Reader(
    "de-DE", "de", "1,23\u202fkW", r"^\d\d:\d\d$",
    {".now h2": "Jetzt", ".energy h2": "Energie heute", ".panels h2": "Module", ".phases h2": "Phasen", ".day": "Heute",
     ".phases thead th >> nth=0": "Zähler", ".node.grid .word": "Einspeisung", ".spans button >> nth=0": "Tag"},
)  # fmt: skip
AMERICAN = Reader(
    "en-US", "en", "1.23\u202fkW", r"^\d{1,2}:\d\d\s[AP]M$",
    {".now h2": "Now", ".energy h2": "Energy today", ".panels h2": "Panels", ".phases h2": "Phases", ".day": "Today",
     ".phases thead th >> nth=0": "Meter", ".node.grid .word": "selling", ".spans button >> nth=0": "Day"},
)  # fmt: skip


async def open_as(browser: Browser, page_server: PageServer, reader: Reader) -> Page:
    """The page in the browser of this reader, with the household on it."""
    context = await browser.new_context(
        locale=reader.locale, color_scheme="light", reduced_motion="reduce", viewport={"width": 390, "height": 844}
    )
    page = await context.new_page()
    await page.goto(page_server.make_link())
    await expect(page.locator("h1")).to_have_text(NAME)
    await expect(page.locator(".light.live")).to_be_visible()
    await expect(page.locator(".panel")).to_have_count(len(PANELS))
    await expect(page.locator(".curve canvas")).to_be_visible()
    return page


async def check_width(page: Page, width: int) -> None:
    """Nothing is clipped or too small to read, and nothing has to be scrolled sideways."""
    await page.set_viewport_size({"width": width, "height": 900})
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    clipped = await page.evaluate(_FIND_CLIPPED, LEAST_PX)
    assert not clipped, (width, clipped)
    if await page.locator(".phases").is_visible():
        assert await page.evaluate(
            "(box => box.scrollWidth - box.clientWidth)(document.querySelector('.phases .scroll'))"
        ) <= 0, width  # fmt: skip


@pytest.mark.parametrize("reader", [pytest.param(one, id=one.locale) for one in (GERMAN, AMERICAN)])
async def test_every_reader_reads_the_page_at_every_width(
    browser: Browser, page_server: PageServer, reader: Reader
) -> None:
    await page_server.add_past(40 * DAY_MS)
    await page_server.send(make_status(page_server.clock.now_ms(), certificate_changed=1.0, outbox_rows=5000.0))
    page = await open_as(browser, page_server, reader)
    await expect(page.locator("html")).to_have_attribute("lang", reader.language)
    await expect(page.locator(".node.sun strong")).to_have_text(reader.power)
    await expect(page.locator(".chart .at").first).to_have_text(re.compile(reader.clock))
    await expect(page.locator(".banner")).to_have_count(2)
    for selector, words in reader.words.items():
        await expect(page.locator(selector)).to_have_text(words)
    await page.evaluate((WEB / "node_modules" / "axe-core" / "axe.min.js").read_text())
    for view in ("day", "month", "all", "panel"):
        if view == "panel":
            await page.locator(".panel").first.click()
            await expect(page.locator("dialog canvas").first).to_be_visible()
        elif view != "day":
            await page.locator(".spans button").nth(2 if view == "month" else 4).click()
            await expect(page.locator(".bar .piece").last).to_be_visible()
        for width in WIDTHS:
            await check_width(page, width)
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme)
            await page.wait_for_timeout(700)  # colours fade to their value
            assert await list_findings(page) == [], (view, scheme)
    await page.context.close()


async def test_a_browser_installs_the_page_by_the_name_of_its_system(browser: Browser, page_server: PageServer) -> None:
    page = await open_as(browser, page_server, GERMAN)
    assert await page.title() == NAME
    session = await page.context.new_cdp_session(page)
    found = await session.send("Page.getAppManifest")
    assert found["errors"] == []
    assert json.loads(found["data"])["name"] == NAME
    assert found["url"].startswith(f"{page_server.url}manifest.webmanifest")
    errors = (await session.send("Page.getInstallabilityErrors"))["installabilityErrors"]
    assert {error["errorId"] for error in errors} <= {"in-incognito"}  # as every browser of a test is
    for icon in json.loads(found["data"])["icons"]:
        sizes = await page.evaluate(
            "async address => { const image = new Image(); image.src = address; await image.decode();"
            " return `${image.naturalWidth}x${image.naturalHeight}`; }",
            icon["src"],
        )
        assert icon["sizes"] in ("any", sizes)
    await page.context.close()
